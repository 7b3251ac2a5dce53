#include "base/child_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "base/fail.h"
#include "support/error_of.h"

namespace octet {
namespace {

using Bytes = std::vector<std::byte>;

TEST(ChildProcess, ReturnsWhatTheWorkReturns) {
  const pid_t parent = ::getpid();
  for (const size_t size : {size_t{0}, size_t{1}, size_t{3'000'000}}) {
    const Bytes made = in_child("work", [&] {
      if (::getpid() == parent) fail(Code::Runtime, "not in a child");
      Bytes bytes(size);
      for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7);
      return bytes;
    });
    ASSERT_EQ(made.size(), size);
    for (size_t i = 0; i < size; i += 1000) EXPECT_EQ(made[i], static_cast<std::byte>(i * 7));
  }
}

TEST(ChildProcess, ThrowsWhatTheWorkThrows) {
  const Error error = error_of(
      [] { in_child("work", []() -> Bytes { fail(Code::Data, "image {} is broken", 7); }); });
  EXPECT_EQ(error.code(), Code::Data);
  EXPECT_STREQ(error.what(), "image 7 is broken");
  const Error other =
      error_of([] { in_child("work", []() -> Bytes { throw std::runtime_error("foreign"); }); });
  EXPECT_EQ(other.code(), Code::Runtime);
  EXPECT_STREQ(other.what(), "foreign");
}

TEST(ChildProcess, TurnsTheEndOfTheChildIntoAnError) {
  struct Case {
    void (*end)();
    const char* message;
  };
  const Case cases[] = {
      {[] { std::abort(); }, "work ended by signal 6 (Aborted)"},
      {[] { ::raise(SIGKILL); }, "work ended by signal 9 (Killed)"},
      {[] { ::_exit(3); }, "work ended without a result"},
      {[] { ::_exit(0); }, "work ended without a result"},
  };
  for (const Case& row : cases) {
    const Error error = error_of([&] {
      in_child("work", [&] {
        row.end();
        return Bytes{};
      });
    });
    EXPECT_EQ(error.code(), Code::Runtime);
    EXPECT_STREQ(error.what(), row.message);
  }
}

}  // namespace
}  // namespace octet
