#include "api/calibration_file.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "engine/executor.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

/// x -> Conv "conv" -> Add a constant, for both runtimes.
struct Net {
  Graph graph;
  Placement placement;
  explicit Net(const std::string& name) {
    const ValueId x = graph.add_input("x", DType::Float32, {-1, 1, 2, 2});
    const ValueId w = graph.add_constant("w", test::random_tensor({1, 1, 1, 1}, 1, 1, 2));
    const ValueId c = graph.add_constant("c", test::random_tensor({1, 1, 2, 2}, 2, -1, 1));
    graph.add_output(graph.add_op("Add", name, {graph.add_op("Conv", "conv", {x, w}), c}));
    infer_shapes(graph);
    const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
    placement = place(graph, TargetSet(names));
  }
  Calibration look(float from, float to) const {
    bool given = false;
    return observe(graph, placement, [&](std::vector<float>& images) -> int64_t {
      if (std::exchange(given, true)) return 0;
      const Tensor drawn = test::random_tensor({400}, 3, from, to);
      images.assign(drawn.as<float>().begin(), drawn.as<float>().end());
      return 100;
    });
  }
};

std::string read(const std::filesystem::path& path) {
  const auto bytes = read_file(path, Code::Io);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(CalibrationFile, GivesBackWhatWasWritten) {
  const TempFolder folder;
  const Net net("sum");
  const Calibration made = net.look(-1, 3);
  write_calibration(folder / "a.calib", net.graph, net.placement, made);
  const Calibration read_back = read_calibration(folder / "a.calib", net.graph, net.placement);
  EXPECT_EQ(read_back.images, 100);
  EXPECT_TRUE(read_back.sketches == made.sketches);
  ASSERT_EQ(made.means.size(), 1U);
  EXPECT_EQ(made.means.begin()->second.count, 400);
  EXPECT_TRUE(read_back.means == made.means);
}

TEST(CalibrationFile, HasAMeanOfEveryChannel) {
  const TempFolder folder;
  const Net net("sum");
  const auto path = folder / "a.calib";
  write_calibration(path, net.graph, net.placement, net.look(-1, 3));
  std::string text = read(path);
  const size_t at = text.find("\"sums\":[");
  ASSERT_NE(at, std::string::npos);
  text.insert(at + 8, "1.5,");
  write_file(path, std::as_bytes(std::span(text)));
  EXPECT_EQ(
      message_of([&] { read_calibration(path, net.graph, net.placement); }),
      path.string() + " is a damaged calibration: 'x' has 2 sums of 400 numbers, and 1 channels");
}

TEST(CalibrationFile, IsOfOneNetwork) {
  const TempFolder folder;
  const Net net("sum");
  Calibration made = net.look(-1, 3);
  made.network = "0123 with fresh-weights";
  const auto path = folder / "a.calib";
  write_calibration(path, net.graph, net.placement, made);
  EXPECT_EQ(read_calibration(path, net.graph, net.placement, made.network).network, made.network);
  EXPECT_EQ(message_of([&] { read_calibration(path, net.graph, net.placement, "0123"); }),
            path.string() +
                " is a calibration of the network 0123 with fresh-weights; this one, whose values "
                "have the same names, is 0123: its weights, or methods that change them, are "
                "others: calibrate again");
}

TEST(CalibrationFile, DoesNotGrowWithTheImages) {
  const TempFolder folder;
  const Net net("sum");
  const auto size_after = [&](int batches) {
    int left = batches;
    const Calibration seen =
        observe(net.graph, net.placement, [&](std::vector<float>& images) -> int64_t {
          if (left-- == 0) return 0;
          const Tensor drawn = test::random_tensor({6400}, static_cast<unsigned>(left), -1, 3);
          images.assign(drawn.as<float>().begin(), drawn.as<float>().end());
          return 1600;
        });
    write_calibration(folder / "a.calib", net.graph, net.placement, seen);
    return static_cast<double>(std::filesystem::file_size(folder / "a.calib"));
  };
  // Counts are decimals: sixteen times as many images take a digit or two more for each bin.
  EXPECT_LT(size_after(64), 2 * size_after(4));
}

TEST(CalibrationFile, MergesToOneLook) {
  const Net net("sum");
  Calibration both = net.look(-1, 3);
  both.merge(net.look(-5, 0));
  EXPECT_EQ(both.images, 200);
  const Ranges ranges = choose_ranges(net.placement, both, {.observer = "minmax"});
  const Range& x = ranges.at(net.placement.group_of.at(*net.graph.find("x")));
  EXPECT_LT(x.low, -4.5F);
  EXPECT_GT(x.high, 2.5F);
}

TEST(CalibrationFile, IsRefusedInOneLine) {
  const TempFolder folder;
  const Net net("sum");
  const std::filesystem::path path = folder / "a.calib";
  write_calibration(path, net.graph, net.placement, net.look(-1, 3));
  const std::string good = read(path);
  const auto message = [&](const std::string& text) {
    folder.write("a.calib", text);
    return message_of([&] { read_calibration(path, net.graph, net.placement); });
  };
  const std::string name = path.string();
  EXPECT_EQ(message(good.substr(0, good.size() / 2)),
            name +
                " is no calibration, or a damaged one; wanted what 'octet quantize "
                "--keep-calibration' writes");
  EXPECT_EQ(message("{}"), name +
                               " is no calibration, or a damaged one; wanted what 'octet quantize "
                               "--keep-calibration' writes");
  std::string other = good;
  other.replace(other.find("\"version\":3"), 11, "\"version\":7");
  EXPECT_EQ(message(other),
            name + " is a calibration of version 7; wanted version 3: calibrate again");
  std::string shifted = good;
  shifted.replace(shifted.find("\"counts\":["), 10, "\"counts\":[1,");
  EXPECT_TRUE(message(shifted).starts_with(name + " is a damaged calibration: "))
      << message(shifted);
  EXPECT_NE(message(shifted).find("cannot hold values from"), std::string::npos)
      << message(shifted);

  folder.write("a.calib", good);
  const Net another("total");
  EXPECT_EQ(message_of([&] { read_calibration(path, another.graph, another.placement); }),
            name +
                " is a calibration of another network, or for other targets: the value 'total' "
                "is not in it as this network has it");
}

}  // namespace
}  // namespace octet
