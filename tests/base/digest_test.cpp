#include "base/digest.h"

#include <gtest/gtest.h>

namespace octet {
namespace {

TEST(Digest, IsThatOfItsAuthors) {
  // From the test suite of the authors' own implementation, http://www.isthe.com/chongo/src/fnv/.
  constexpr std::pair<std::string_view, const char*> kCases[] = {
      {"", "cbf29ce484222325"}, {"a", "af63dc4c8601ec8c"}, {"foobar", "85944171f73967e8"}};
  for (const auto& [text, wanted] : kCases) {
    EXPECT_EQ(digest(std::as_bytes(std::span(text))), wanted) << text;
  }
}

}  // namespace
}  // namespace octet
