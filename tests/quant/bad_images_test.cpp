// Images on which a network makes NaN or infinity.

#include <gtest/gtest.h>

#include <limits>

#include "engine/executor.h"
#include "quant/calibrate.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A convolution of sqrt(x), with this weight.
struct RootNet {
  Graph graph;
  Placement placement;
  explicit RootNet(float factor = 2) {
    const ValueId x = graph.add_input("x", DType::Float32, {-1, 1, 2, 2});
    const ValueId w =
        graph.add_constant("w", Tensor::of<float>({1, 1, 1, 1}, std::span(&factor, 1)));
    graph.add_output(graph.add_op("Conv", "scaled", {graph.add_op("Sqrt", "root", {x}), w}));
    infer_shapes(graph);
    const std::vector<std::string> names{"onnxruntime-cpu"};
    placement = place(graph, TargetSet(names));
  }
};

using Batches = std::vector<std::vector<float>>;

Calibration look(const RootNet& net, const Batches& batches, const BadImages& bad = {}) {
  size_t at = 0;
  const NextImages next = [&](std::vector<float>& out) -> int64_t {
    if (at == batches.size()) return 0;
    out = batches[at++];
    return static_cast<int64_t>(out.size() / 4);
  };
  return observe(net.graph, net.placement, next, bad);
}

const std::string kNextStep =
    "; mend or remove the image, or go on without it (--bad-images skip, in a recipe "
    "'calibration: {bad_images: skip}')";

TEST(BadImages, AreNamedWhereverTheyTurnBad) {
  struct Case {
    const char* name;
    Batches batches;
    BadImages bad;
    std::string message;
  };
  const BadImages named{.name = [](int64_t number) { return std::format("cats/{}.png", number); }};
  const std::vector<Case> cases{
      {"NaN in the image",
       {{0, 1, 2, 3}, {4, 4, 4, 4, 1, 2, kNan, 3}},
       named,
       "calibrate: cats/2.png: network input: the value 'x' cannot be calibrated: element 2 of 4 "
       "is nan" +
           kNextStep},
      {"infinity in the image",
       {{1, 2, 3, 4, kInfinity, 2, 3, 3}},
       {},
       "calibrate: calibration image 1: network input: the value 'x' cannot be calibrated: element "
       "0 of 4 is inf" +
           kNextStep},
      {"NaN in the network",
       {{1, 1, 1, 1, 2, 2, -2, 2, 3, 3, 3, 3, -1, 3, 3, 3}},
       named,
       "calibrate: cats/1.png: node \"root\" (Sqrt): the value 'root' cannot be calibrated: "
       "element 2 of 4 is nan" +
           kNextStep},
      {"the only image",
       {{1, 1, 1, -1}},
       named,
       "calibrate: cats/0.png: node \"root\" (Sqrt): the value 'root' cannot be calibrated: "
       "element 3 of 4 is nan" +
           kNextStep},
      {"all images alike: the network's fault",
       {{1, 1, 1, -1, 2, 2, -2, 2}},
       named,
       "calibrate: node \"root\" (Sqrt): the value 'root' cannot be calibrated: element 3 of 4 is "
       "nan"},
  };
  const RootNet net;
  for (const Case& c : cases) {
    const Error error = error_of([&] { look(net, c.batches, c.bad); });
    EXPECT_EQ(error.what(), c.message) << c.name;
    EXPECT_EQ(error.code(), Code::Numeric) << c.name;
  }
}

TEST(BadImages, AreSkippedAsIfTheyWereNotThere) {
  const RootNet net;
  const Batches bad{{1, 2, 3, 4}, {-1, 0, 0, 0, 9, 9, 4, 1, 2, 2, kNan, 2}, {5, 5, 5, 5}};
  const Batches good{{1, 2, 3, 4}, {9, 9, 4, 1}, {5, 5, 5, 5}};
  const Calibration seen = look(net, bad, {.skip = true});
  EXPECT_TRUE(seen.sketches == look(net, good).sketches) << "the moving average, too";
  EXPECT_EQ(seen.images, 3);
  EXPECT_EQ(seen.skipped, (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(seen.skip_reasons,
            (std::vector<std::string>{"calibration image 1: node \"root\" (Sqrt): the value 'root' "
                                      "cannot be calibrated: element 0 of 4 is nan",
                                      "calibration image 3: network input: the value 'x' cannot be "
                                      "calibrated: element 2 of 4 is nan"}));
}

TEST(BadImages, AreNotAllNamedWhenTheyAreMany) {
  const RootNet net;
  Batches batches{{1, 1, 1, 1}};
  for (int i = 0; i < 40; ++i) batches.push_back({-1, -1, -1, -1});
  const Calibration seen = look(net, batches, {.skip = true});
  EXPECT_EQ(seen.skipped.size(), 40U);
  EXPECT_EQ(seen.skip_reasons.size(), kNamedBadImages);
}

TEST(BadImages, LeaveSomethingToCalibrateWith) {
  const RootNet net;
  EXPECT_EQ(message_of([&] { look(net, {{-1, 0, 0, 0}, {-2, 0, 0, 0}}, {.skip = true}); }),
            "calibrate: none of the 2 calibration images is good; the first is calibration image "
            "0: node \"root\" (Sqrt): the value 'root' cannot be calibrated: element 0 of 4 is "
            "nan");
  const RootNet broken(kNan);
  EXPECT_EQ(message_of([&] { look(broken, {{1, 1, 1, 1, 2, 2, 2, 2}}, {.skip = true}); }),
            "calibrate: none of the 2 calibration images is good; the first is calibration image "
            "0: node \"scaled\" (Conv): the value 'scaled' cannot be calibrated: element 0 of 4 is "
            "nan");
}

}  // namespace
}  // namespace octet
