#include "base/line_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(LineFile, KeepsWhatIsAdded) {
  const TempFolder folder;
  {
    LineFile file(folder / "j");
    EXPECT_EQ(file.lines(), std::vector<std::string>{});
    file.add("one");
    file.add("");
  }
  LineFile again(folder / "j");
  EXPECT_EQ(again.lines(), (std::vector<std::string>{"one", ""}));
  again.add("three");
  EXPECT_EQ(contents(folder / "j"), "one\n\nthree\n");
}

TEST(LineFile, TakesAwayALineWithoutEnd) {
  const TempFolder folder;
  for (const char* torn : {"one\ntwo\nthr", "one\ntwo\n"}) {
    folder.write("j", torn);
    LineFile file(folder / "j");
    EXPECT_EQ(file.lines(), (std::vector<std::string>{"one", "two"}));
    file.add("3");
    EXPECT_EQ(contents(folder / "j"), "one\ntwo\n3\n");
  }
}

TEST(LineFile, IsOfOneProcessAtATime) {
  const TempFolder folder;
  const LineFile file(folder / "j");
  EXPECT_EQ(folder.without(message_of([&] { LineFile(folder / "j"); })),
            "j: another process is writing it; wait for it, or take another folder");
  EXPECT_EQ(folder.without(message_of([&] { LineFile(folder / "no/j"); })),
            "cannot write no/j: No such file or directory");
}

}  // namespace
}  // namespace octet
