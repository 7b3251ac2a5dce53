// Looks at parts of the images, on any number of machines, are one look at all of them.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "engine/executor.h"
#include "quant/calibrate.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

using Image = std::vector<float>;  // 1x2x2

/// A convolution with ReLU, and a sum with a constant, which shares the grid of nothing else.
struct MergeNet {
  Graph graph;
  Placement placement;
  MergeNet() {
    const ValueId x = graph.add_input("x", DType::Float32, {-1, 1, 2, 2});
    const ValueId w = graph.add_constant("w", test::random_tensor({2, 1, 1, 1}, 1, -1, 2));
    const ValueId c = graph.add_constant("c", test::random_tensor({1, 2, 2, 2}, 2, -1, 1));
    const ValueId relu = graph.add_op("Relu", "relu", {graph.add_op("Conv", "conv", {x, w})});
    graph.add_output(graph.add_op("Concat", "y", {relu, graph.add_op("Add", "sum", {relu, c})},
                                  {{"axis", int64_t{1}}}));
    infer_shapes(graph);
    const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
    placement = place(graph, TargetSet(names));
  }
  /// Image by image, so that the float numbers do not depend on who else is in the batch.
  Calibration look(const std::vector<Image>& images) const {
    size_t at = 0;
    return observe(graph, placement, [&](std::vector<float>& out) -> int64_t {
      if (at == images.size()) return 0;
      out = images[at++];
      return 1;
    });
  }
};

std::vector<Image> any_images() {
  std::vector<Image> images(*rc::gen::inRange<size_t>(1, 9));
  for (Image& image : images) {
    const float size = std::ldexp(1.0F, *rc::gen::inRange(-20, 20));
    for (int i = 0; i < 4; ++i) {
      image.push_back(static_cast<float>(*rc::gen::inRange(-1000, 1001)) / 1000 * size);
    }
  }
  return images;
}

/// What does not depend on the order.
void expect_same(const Calibration& a, const Calibration& b) {
  RC_ASSERT(a.images == b.images);
  RC_ASSERT(a.sketches.size() == b.sketches.size());
  for (const auto& [group, sketch] : a.sketches) {
    RC_ASSERT(sketch.histogram == b.sketches.at(group).histogram);
    RC_ASSERT(sketch.constants == b.sketches.at(group).constants);
  }
  RC_ASSERT(a.means.size() == b.means.size());
  for (const auto& [id, mean] : a.means) {
    const ChannelMean& other = b.means.at(id);
    RC_ASSERT(mean.count == other.count);
    for (size_t i = 0; i < mean.sums.size(); ++i) {
      // Sums of doubles round; numbers that cancel leave that of the largest.
      const double size = 1e-9 * std::ldexp(1.0, 20);
      RC_ASSERT(std::abs(mean.sums[i] - other.sums[i]) <= size);
    }
  }
}

RC_GTEST_PROP(Merge, OfAnyPartsInAnyOrderAndGroupingIsOneLook, ()) {
  static const MergeNet net;
  const std::vector<Image> images = any_images();
  std::vector<std::vector<Image>> cut(*rc::gen::inRange<size_t>(1, 5));
  for (const Image& image : images) cut[*rc::gen::inRange<size_t>(0, cut.size())].push_back(image);
  std::vector<Calibration> parts;
  for (const auto& part : cut) {
    if (!part.empty()) parts.push_back(net.look(part));
  }
  while (parts.size() > 1) {
    const auto a = *rc::gen::inRange<size_t>(0, parts.size());
    const Calibration taken = parts[a];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(a));
    parts[*rc::gen::inRange<size_t>(0, parts.size())].merge(taken);
  }
  expect_same(parts[0], net.look(images));
}

TEST(Merge, WithNothingChangesNothing) {
  const MergeNet net;
  const Calibration seen = net.look({{1, 2, 3, 4}, {5, -6, 7, 8}, {0, 0, 0, 1}});
  Calibration left;
  left.merge(seen);
  EXPECT_TRUE(left.sketches == seen.sketches) << "moving averages and milestones, too";
  Calibration right = seen;
  right.merge({});
  EXPECT_TRUE(right.sketches == seen.sketches);
  EXPECT_EQ(right.images, 3);
}

TEST(Merge, KeepsMilestonesOfTheFirstPartAndTheEndsOfOthers) {
  const MergeNet net;
  Calibration seen = net.look({{1, 1, 1, 1}, {2, 2, 2, 2}, {3, 3, 3, 3}, {4, 4, 4, 4}});
  seen.merge(net.look({{9, 9, 9, 9}, {1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}}));
  seen.merge(net.look({{1, 1, 1, 1}}));
  const auto x = seen.sketches.at(net.placement.group_of.at(*net.graph.find("x"))).course;
  std::vector<std::pair<int64_t, float>> marks;
  for (const Milestone& mark : x) marks.emplace_back(mark.images, mark.all.high);
  EXPECT_EQ(marks, (std::vector<std::pair<int64_t, float>>{{1, 1}, {2, 2}, {4, 4}, {8, 9}}));
}

}  // namespace
}  // namespace octet
