#include "api/search_journal.h"

#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

const SearchIdentity kIdentity{{"network", "0123"}, {"seed", "1"}};

SearchTrial trial_of(std::vector<std::string> in_float) {
  return {.observer = "mse",
          .methods = {"m"},
          .on_16_bits = {"w"},
          .in_float = in_float,
          .wide_nodes = {"w"},
          .nodes = in_float,
          .top1 = 91.25,
          .size_bytes = 1000,
          .latency_ms = 0.125,
          .seconds = 2};
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(SearchJournal, GivesBackWhatWasAdded) {
  const TempFolder folder;
  {
    SearchJournal journal(folder / "j", kIdentity);
    journal.set_float({.name = "float",
                       .format = "ONNX FP32",
                       .runtime = "r",
                       .path = "f",
                       .images = 10,
                       .top1 = 92,
                       .top5 = 99,
                       .size_bytes = 4000,
                       .latency_ms = 0.5});
    journal.add(trial_of({}), "f0");
    journal.add_ranks("k", {{"a", 0.1, 0, {1}}, {"b", 1e300, 1}});
    journal.add(trial_of({"a\"\\,\n", "b"}), "f1");
  }
  const SearchJournal journal(folder / "j", kIdentity);
  ASSERT_EQ(journal.entries().size(), 2u);
  EXPECT_EQ(journal.entries()[1].trial.number, 2);
  EXPECT_EQ(journal.entries()[1].trial.in_float, (std::vector<std::string>{"a\"\\,\n", "b"}));
  EXPECT_EQ(journal.entries()[1].trial.on_16_bits, std::vector<std::string>{"w"});
  EXPECT_EQ(journal.entries()[1].trial.wide_nodes, std::vector<std::string>{"w"});
  EXPECT_EQ(journal.entries()[1].trial.top1, 91.25);
  EXPECT_EQ(journal.entries()[1].trial.latency_ms, 0.125);
  EXPECT_EQ(journal.find(SearchJournal::key_of(trial_of({})))->file, "f0");
  EXPECT_EQ(journal.find(SearchJournal::key_of(trial_of({"c"}))), nullptr);
  EXPECT_EQ(journal.float_network()->size_bytes, 4000);
  ASSERT_NE(journal.ranks_of("k"), nullptr);
  EXPECT_EQ(journal.ranks_of("k")->at(1).noise, 1e300);
  EXPECT_EQ(journal.ranks_of("k")->at(0).readers, std::vector<size_t>{1});
  EXPECT_EQ(journal.ranks_of("other"), nullptr);
}

/// Cut at any byte, it holds the lines that are whole, and goes on behind them.
TEST(SearchJournal, IsWholeWhereverItIsCut) {
  const TempFolder folder;
  {
    SearchJournal journal(folder / "j", kIdentity);
    journal.add(trial_of({}), "f0");
    journal.add(trial_of({"a"}), "f1");
  }
  const std::string whole = text_of(folder / "j");
  for (size_t size = 0; size <= whole.size(); size += 7) {
    folder.write("cut", whole.substr(0, size));
    const auto lines = std::ranges::count(whole.substr(0, size), '\n');
    {
      SearchJournal journal(folder / "cut", kIdentity);
      EXPECT_EQ(std::ssize(journal.entries()), std::max<std::ptrdiff_t>(lines - 1, 0)) << size;
      journal.add(trial_of({"z"}), "f2");
    }
    const SearchJournal again(folder / "cut", kIdentity);
    EXPECT_EQ(again.entries().back().trial.in_float, std::vector<std::string>{"z"});
  }
}

TEST(SearchJournal, RefusesAnotherSearchAndDamage) {
  const TempFolder folder;
  {
    SearchJournal journal(folder / "j", kIdentity);
    journal.add(trial_of({}), "f0");
    journal.add(trial_of({"a"}), "f1");
  }
  const auto opened = [&](const char* name, const SearchIdentity& identity) {
    return folder.without(message_of([&] { SearchJournal(folder / name, identity); }));
  };
  EXPECT_EQ(opened("j", {{"network", "0123"}, {"seed", "2"}}),
            "j is of another search: its seed is '1', here it is '2'; take another folder, or what "
            "it was made with");
  EXPECT_EQ(opened("j", {{"network", "0123"}, {"target", "tflite"}}),
            "j is of another search: its target is '', here it is 'tflite'; take another folder, "
            "or what it was made with");
  std::string damaged = text_of(folder / "j");
  const size_t second = damaged.find('\n') + 1;
  const char* cures =
      "it is damaged; put the line right, or take the folder's journal away to begin anew";
  damaged[second + 5] = '\0';
  folder.write("damaged", damaged);
  EXPECT_EQ(opened("damaged", kIdentity), std::string("damaged, line 2: ") + cures);
  folder.write("text", "dear diary\n");
  EXPECT_EQ(opened("text", kIdentity), std::string("text, line 1: ") + cures);
  folder.write("type", text_of(folder / "j") + R"({"trial": "three"})" + "\n");
  EXPECT_EQ(opened("type", kIdentity), std::string("type, line 4: ") + cures);
}

}  // namespace
}  // namespace octet
