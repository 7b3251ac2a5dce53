#include "engine/workers.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/fail.h"
#include "support/error_of.h"

namespace octet {
namespace {

/// LibTorch's threads are others while one lives.
class WithThreads {
 public:
  explicit WithThreads(int threads) : before_(at::get_num_threads()) {
    at::set_num_threads(threads);
  }
  ~WithThreads() { at::set_num_threads(before_); }

 private:
  int before_;
};

TEST(Workers, DoEachNumberOnceAndWithoutGradients) {
  for (const int threads : {1, 2, 3}) {
    SCOPED_TRACE(threads);
    const WithThreads with(threads);
    std::vector<std::atomic<int>> done(7);
    std::atomic<bool> gradients = false;
    std::atomic<int> most = 0;
    on_workers(7, [&](int64_t i) {
      ++done[static_cast<size_t>(i)];
      if (at::GradMode::is_enabled()) gradients = true;
      most = std::max<int>(most, at::get_num_threads());
    });
    for (const auto& count : done) EXPECT_EQ(count, 1);
    EXPECT_FALSE(gradients);
    EXPECT_EQ(most, 1);  // all threads are workers
    EXPECT_EQ(at::get_num_threads(), threads);
    EXPECT_TRUE(at::GradMode::is_enabled());
  }
}

TEST(Workers, ShareTheThreadsThatAreLeft) {
  const WithThreads with(4);
  std::atomic<int> sum = 0;
  on_workers(2, [&](int64_t) { sum += at::get_num_threads(); });
  EXPECT_EQ(sum, 4);
  on_workers(0, [&](int64_t) { sum = 0; });
  EXPECT_EQ(sum, 4);
}

TEST(Workers, ThrowWhatTheFirstByNumberThrew) {
  for (const int threads : {1, 3}) {
    const WithThreads with(threads);
    std::atomic<int> done = 0;
    const Error error = error_of([&] {
      on_workers(6, [&](int64_t i) {
        ++done;
        if (i == 2 || i == 4) fail(Code::Numeric, "part {}", i);
      });
    });
    EXPECT_STREQ(error.what(), "part 2");
    EXPECT_EQ(done, 6);
    EXPECT_EQ(at::get_num_threads(), threads);
  }
}

}  // namespace
}  // namespace octet
