#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/file.h"
#include "octet/octet.h"
#include "support/one_bad_layer.h"
#include "support/program.h"

namespace octet {
namespace {

using nlohmann::json;
using test::Program;
using test::run_octet;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<json> journal_of(const std::filesystem::path& folder) {
  std::ifstream in(folder / "journal.jsonl");
  std::vector<json> lines;
  for (std::string line; std::getline(in, line) && !in.eof();) lines.push_back(json::parse(line));
  return lines;
}

std::vector<json> trials_of(const std::filesystem::path& folder) {
  std::vector<json> trials;
  for (json& line : journal_of(folder)) {
    if (line.contains("trial")) trials.push_back(std::move(line));
  }
  return trials;
}

/// A network of which one layer breaks with one scale per tensor, and images.
class Searched : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file(folder / "net.onnx", write_onnx(test::one_bad_layer()));
    test::write_thirds(folder);
  }

  std::vector<std::string> command(const std::string& verb,
                                   std::vector<std::string> more = {}) const {
    std::vector<std::string> all{verb,        folder / "net.onnx", "--data", folder / "data.yaml",
                                 "--weights", "per-tensor"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// By size alone, so that the way does not depend on measured times.
  std::vector<std::string> search(const std::string& out,
                                  std::vector<std::string> more = {}) const {
    std::vector<std::string> all =
        command("search", {"--out", folder / out, "--cost", "size", "--latency-runs", "2",
                           "--observer", "minmax", "--observer", "mse"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string without(const std::string& text) const { return folder.without(text); }

  const TempFolder folder;
};

TEST_F(Searched, SensitivityNamesTheLayerFirst) {
  const auto ended = run_octet(command(
      "sensitivity", {"--json", folder / "s.json", "--svg", folder / "s.svg", "--rows", "2"}));
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(ended.out.starts_with("layer ")) << ended.out;
  EXPECT_TRUE(ended.out.contains("\noutlier ")) << ended.out;
  EXPECT_TRUE(ended.out.contains("\n3 more layers, ")) << ended.out;
  const json found = json::parse(text_of(folder / "s.json"));
  ASSERT_EQ(found["layers"].size(), 5u);
  EXPECT_EQ(found["layers"][0]["name"], "outlier");
  EXPECT_EQ(found["layers"][0]["weight"], "outlier.w");
  EXPECT_GT(found["layers"][0]["share"], 95);
  EXPECT_EQ(found["images"], 30);
  const std::string svg = text_of(folder / "s.svg");
  EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
  EXPECT_TRUE(svg.contains(">outlier</text>"));
}

TEST_F(Searched, OnlyTheLayerThatBreaksStaysInFloat) {
  const auto ended = run_octet(search("out"));
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(ended.out.contains("\nin float: outlier\n")) << ended.out;
  const json found = json::parse(text_of(folder / "out/search.json"));
  EXPECT_EQ(found["finished"], true);
  EXPECT_EQ(found["float"]["top1"], 100.0);
  const json& best = found["trials"][found["best"].get<size_t>() - 1];
  EXPECT_EQ(best["in_float"], json({"outlier"}));
  EXPECT_EQ(best["nodes_in_float"], json({"flat", "outlier", "outlier_relu"}));
  EXPECT_GE(best["top1"], 99.5);
  EXPECT_LT(found["trials"][0]["top1"], 70) << "all in integers loses";
  EXPECT_EQ(found["trials"].size(), trials_of(folder / "out").size());

  // The file is what the trial says that it is.
  const State held = evaluate(folder / "out/best.onnx", folder / "data.yaml", {.part = "train"});
  EXPECT_GE(held.top1, 99.5);
  EXPECT_EQ(held.size_bytes, best["size_bytes"]);
  std::set<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder / "out")) {
    files.insert(file.path().filename());
  }
  EXPECT_EQ(files, (std::set<std::string>{"best.onnx", "curve.svg", "float.onnx", "journal.jsonl",
                                          "search.json", "sensitivity.json", "sensitivity.svg"}));

  // Again: all is known, nothing is measured, nothing is changed.
  const std::string before = text_of(folder / "out/journal.jsonl");
  const auto again = run_octet(search("out"));
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_TRUE(again.out.contains(" trials were in the journal\n")) << again.out;
  EXPECT_EQ(text_of(folder / "out/journal.jsonl"), before);
  // A larger drop is another choice from the same trials, and a lost file is made again.
  std::filesystem::remove(folder / "out/best.onnx");
  const auto looser = run_octet(search("out", {"--max-drop", "90"}));
  EXPECT_EQ(looser.status, 0) << looser.err;
  EXPECT_TRUE(looser.out.contains("all in integers keeps the accuracy\n")) << looser.out;
  EXPECT_EQ(text_of(folder / "out/journal.jsonl"), before);
  EXPECT_EQ(std::filesystem::file_size(folder / "out/best.onnx"),
            found["trials"][0]["size_bytes"].get<size_t>());
}

TEST_F(Searched, AllInIntegersIsSaidAtOnce) {
  auto line = search("out");
  line[5] = "per-channel";
  const auto ended = run_octet(line);
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(ended.out.contains("; all in integers keeps the accuracy\n")) << ended.out;
  EXPECT_EQ(trials_of(folder / "out").size(), 1u);
}

TEST_F(Searched, GoesOnAfterItWasKilled) {
  ASSERT_EQ(run_octet(search("whole")).status, 0);
  const auto whole = trials_of(folder / "whole");
  for (const int more : {200, 20, 350, 90}) {
    const size_t lines = std::filesystem::exists(folder / "out/journal.jsonl")
                             ? journal_of(folder / "out").size()
                             : 0;
    std::vector<std::string> line = search("out");
    line.insert(line.begin(), test::kProgram);
    const Program running(line);
    for (int i = 0; i < 500; ++i) {  // until it has done something new, and a little longer
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      if (std::filesystem::exists(folder / "out/journal.jsonl") &&
          journal_of(folder / "out").size() > lines) {
        break;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(more));
    running.send(SIGKILL);
  }
  // What a death in the middle of writing would leave.
  {
    std::ofstream torn(folder / "out/journal.jsonl", std::ios::app);
    torn << R"({"trial":99,"observer":"mi)";
  }
  folder.write("out/trial.onnx", "half");
  folder.write("out/best.onnx.partial-abcdef", "half");
  const auto ended = run_octet(search("out"));
  ASSERT_EQ(ended.status, 0) << ended.err;
  const auto found = trials_of(folder / "out");
  ASSERT_EQ(found.size(), whole.size()) << "none is repeated, none is missing";
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(found[i]["file"], whole[i]["file"]);
    EXPECT_EQ(found[i]["trial"], i + 1);
  }
  EXPECT_EQ(text_of(folder / "out/best.onnx"), text_of(folder / "whole/best.onnx"));
  EXPECT_FALSE(std::filesystem::exists(folder / "out/trial.onnx"));
  EXPECT_FALSE(std::filesystem::exists(folder / "out/best.onnx.partial-abcdef"));
}

TEST_F(Searched, EndsWhenTheTimeIsUpWithTheBestSoFar) {
  const auto ended = run_octet(search("out", {"--time", "0.001s"}));
  EXPECT_EQ(ended.status, 1);
  EXPECT_TRUE(
      ended.err.contains("nothing that there was time for keeps top-1 within 0.5 points of "
                         "float's 100.00 %; the nearest is trial 1 "))
      << ended.err;
  EXPECT_TRUE(ended.err.ends_with("; the same command goes on from here\n")) << ended.err;
  EXPECT_EQ(trials_of(folder / "out").size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(folder / "out/best.onnx"));
  EXPECT_EQ(json::parse(text_of(folder / "out/search.json"))["finished"], false);
}

TEST_F(Searched, TfliteFilesHoldTheLayerInFloatToo) {
  const auto ended = run_octet(search("out", {"--target", "tflite"}));
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(ended.out.contains("\nin float: outlier\n")) << ended.out;
  const json found = json::parse(text_of(folder / "out/search.json"));
  const json& best = found["trials"][found["best"].get<size_t>() - 1];
  EXPECT_EQ(best["nodes_in_float"], json({"flat", "outlier", "outlier_relu"}));
  EXPECT_EQ(found["trials"][2]["activation_bits"], 16) << "8 bits of weights are not enough";
  EXPECT_LT(found["trials"][2]["top1"], 70);
  const State held = evaluate(folder / "out/best.tflite", folder / "data.yaml", {.part = "train"});
  EXPECT_GE(held.top1, 99.5);
  EXPECT_EQ(held.size_bytes, best["size_bytes"]);
}

TEST_F(Searched, TfliteFilesHoldALayerOn16BitsBesideOthersOn8) {
  write_file(folder / "net.onnx", write_onnx(test::one_bad_layer(test::Bad::Range)));
  const auto ended = run_octet(search("out", {"--target", "tflite"}));
  ASSERT_EQ(ended.status, 0) << ended.err;
  const json found = json::parse(text_of(folder / "out/search.json"));
  EXPECT_LT(found["trials"][0]["top1"], 70) << "all on 8 bits loses";
  bool mixed = false;
  for (const json& trial : found["trials"]) {
    if (trial["on_16_bits"] != json({"outlier", "hidden"}) || !trial["in_float"].empty()) continue;
    mixed = true;
    EXPECT_TRUE(trial["keeps"]) << trial;
    EXPECT_EQ(trial["nodes_on_16_bits"],
              json({"flat", "hidden", "hidden_relu", "outlier", "outlier_relu"}));
    EXPECT_EQ(trial["nodes_in_float"], json::array());
  }
  EXPECT_TRUE(mixed) << ended.out;
  const State held = evaluate(folder / "out/best.tflite", folder / "data.yaml", {.part = "train"});
  EXPECT_GE(held.top1, 99.5);
}

TEST_F(Searched, TargetsWithoutFloatSayHowNearTheyCame) {
  const auto ended = run_octet(search("out", {"--target", "ethos-u"}));
  EXPECT_EQ(ended.status, 1);
  EXPECT_TRUE(
      ended.err.contains("octet: nothing that the target can run keeps top-1 within 0.5 "
                         "points of float's 100.00 %; the nearest is trial "))
      << ended.err;
  EXPECT_EQ(trials_of(folder / "out").size(), 2u) << "both observers";
  EXPECT_TRUE(std::filesystem::exists(folder / "out/best.tflite"));
}

TEST_F(Searched, RefusesWhatItCannotUse) {
  ASSERT_EQ(run_octet(search("known", {"--time", "0.001s"})).status, 1);
  folder.write("file", "");
  folder.write("none.yaml",
               "classes: 3\nvalidation: 0\ntrain: {format: idx, images: images, labels: labels}\n");
  std::string damaged = text_of(folder / "known/journal.jsonl");
  damaged[damaged.find('\n') + 3] = '\t';
  folder.write("damaged/journal.jsonl", damaged);
  struct Case {
    const char* name;
    std::string out;
    std::vector<std::string> more;
    int status;
    const char* error;
  };
  const Case cases[] = {
      {"negative drop",
       "new",
       {"--max-drop", "-1"},
       2,
       "the drop that is allowed is -1 points; wanted 0 to 100"},
      {"no drop",
       "new",
       {"--max-drop", "nan"},
       2,
       "the drop that is allowed is nan points; wanted 0 to 100"},
      {"no time",
       "new",
       {"--time", "soon"},
       2,
       "the time is 'soon'; wanted a number above 0 and its unit, such as 30s, 10m or 2h"},
      {"time without unit",
       "new",
       {"--time", "30"},
       2,
       "the time is '30'; wanted a number above 0 and its unit, such as 30s, 10m or 2h"},
      {"negative time",
       "new",
       {"--time", "-1s"},
       2,
       "the time is '-1s'; wanted a number above 0 and its unit, such as 30s, 10m or 2h"},
      {"unknown cost",
       "new",
       {"--cost", "power"},
       2,
       "the cost is 'power'; wanted 'size', 'latency' or 'both'"},
      {"no images",
       "new",
       {"--noise-images", "0"},
       2,
       "0 images to measure noise on, 1024 to calibrate on, 2 latency runs; wanted 1 or more"},
      {"negative images",
       "new",
       {"--images", "-3"},
       2,
       "-3 images to score on and 32 to verify on; wanted 0 or more"},
      {"a file for a folder", "file", {}, 1, "cannot make the folder file: Not a directory"},
      {"nothing held back",
       "new",
       {"--data", folder / "none.yaml"},
       2,
       "none.yaml: no training images are held back to score on ('validation' is 0 of 60 images); "
       "set it so that there are some"},
      {"another search",
       "known",
       {"--seed", "2"},
       2,
       "known/journal.jsonl is of another search: its seed is '1', here it is '2'; take another "
       "folder, or what it was made with"},
      {"a damaged journal",
       "damaged",
       {},
       2,
       "damaged/journal.jsonl, line 2: it is damaged; put the line right, or take the folder's "
       "journal away to begin anew"},
  };
  for (const Case& row : cases) {
    auto line = search(row.out, row.more);
    for (const char* once : {"--data", "--cost"}) {  // what the row says stands alone
      if (!std::ranges::contains(row.more, once)) continue;
      const auto first = std::ranges::find(line, once);
      line.erase(first, first + 2);
    }
    const auto ended = run_octet(line);
    EXPECT_EQ(ended.status, row.status) << row.name;
    EXPECT_EQ(without(ended.err), std::string("octet: ") + row.error + "\n") << row.name;
    EXPECT_EQ(ended.out, "") << row.name;
    EXPECT_FALSE(std::filesystem::exists(folder / "new")) << row.name;
  }
}

}  // namespace
}  // namespace octet
