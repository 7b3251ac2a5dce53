#include "base/text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace octet {
namespace {

using Words = std::vector<std::string>;

TEST(Text, Joins) {
  struct Case {
    Words parts;
    std::string_view separator;
    std::string_view wanted;
  };
  for (const auto& [parts, separator, wanted] : std::vector<Case>{
           {{}, ", ", ""},
           {{"a"}, ", ", "a"},
           {{"a", "b", "c"}, ", ", "a, b, c"},
           {{"a", "b"}, "", "ab"},
           {{"a", "", "b"}, ",", "a,,b"},
           {{"", "a"}, ",", ",a"},
       }) {
    EXPECT_EQ(join(parts, separator), wanted);
  }
}

TEST(Text, WritesShapes) {
  struct Case {
    std::vector<int64_t> shape;
    std::string_view wanted;
  };
  for (const auto& [shape, wanted] : std::vector<Case>{
           {{}, "scalar"},
           {{7}, "7"},
           {{1, 28, 28}, "1x28x28"},
           {{-1, 3, 32, 32}, "Nx3x32x32"},
           {{0, 4}, "0x4"},
       }) {
    EXPECT_EQ(shape_text(shape), wanted);
  }
}

TEST(Text, SaysWhatIsKnownOfANameThatIsNot) {
  const Words known{"relu", "gelu"};
  EXPECT_EQ(unknown_name("function", "tanh", known),
            "unknown function 'tanh'; known are relu, gelu");
  EXPECT_EQ(unknown_name("function", "relo", known),
            "unknown function 'relo'; did you mean 'relu'? Known are relu, gelu");
}

TEST(Text, FindsTheNearestWord) {
  const Words words{"percentile", "minmax", "mse", "entropy"};
  struct Case {
    std::string_view word;
    std::string_view wanted;
  };
  for (const auto& [word, wanted] : std::vector<Case>{
           {"minmax", "minmax"},
           {"minmx", "minmax"},
           {"min-max", "minmax"},
           {"percentil", "percentile"},
           {"precentile", "percentile"},
           {"entropie", "entropy"},
           {"mes", ""},  // two of three letters
           {"mso", "mse"},
           {"kl", ""},
           {"", ""},
       }) {
    EXPECT_EQ(nearest(word, words), wanted) << word;
  }
  EXPECT_EQ(nearest("word", {}), "");
  EXPECT_EQ(nearest("ab", Words{"ax", "ay"}), "ax") << "the first of equals";
}

RC_GTEST_PROP(Text, AWordIsNearestToItself, (const std::string& word, Words others)) {
  RC_PRE(!word.empty());
  others.push_back(word);
  RC_ASSERT(nearest(word, others) == word);
}

TEST(Text, KeepsTheFirstLine) {
  struct Case {
    std::string_view message;
    std::string_view wanted;
  };
  for (const auto& [message, wanted] : std::vector<Case>{
           {"", ""},
           {" \n\t\r\n ", ""},
           {"one line", "one line"},
           {"first\nsecond", "first"},
           {"\n\n  first  \r\nsecond", "first"},
           {"no end\r\n", "no end"},
           {"inner  spaces stay \n", "inner  spaces stay"},
       }) {
    EXPECT_EQ(first_line(message), wanted);
  }
}

}  // namespace
}  // namespace octet
