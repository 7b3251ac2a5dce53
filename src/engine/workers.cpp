#include "engine/workers.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace octet {

void on_workers(int64_t count, const std::function<void(int64_t)>& work) {
  const int threads = at::get_num_threads();
  const auto workers = static_cast<int>(std::min<int64_t>(threads, count));
  std::vector<std::exception_ptr> errors(static_cast<size_t>(count));
  std::atomic<int64_t> next = 0;
  const auto serve = [&] {
    const at::NoGradGuard no_grad;
    for (int64_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        errors[static_cast<size_t>(i)] = std::current_exception();
      }
    }
  };
  if (workers <= 1) {
    serve();
  } else {
    std::vector<std::jthread> pool;
    for (int i = 0; i < workers; ++i) {
      pool.emplace_back([&] {
        at::set_num_threads(threads / workers);  // of this thread, and of those made from now on
        serve();
      });
    }
    pool.clear();
    at::set_num_threads(threads);
  }
  const auto first =
      std::ranges::find_if(errors, [](const auto& error) { return error != nullptr; });
  if (first != errors.end()) std::rethrow_exception(*first);
}

}  // namespace octet
