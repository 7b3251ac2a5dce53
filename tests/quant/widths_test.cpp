#include "quant/widths.h"

#include <gtest/gtest.h>

#include "engine/executor.h"
#include "quant/calibrate.h"
#include "quant/place.h"
#include "quant/regroup.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

/// conv1 - relu1 - conv2 - mul (by a constant) - add (of mul and relu1) - scale (by the constant).
struct Net {
  Graph graph;
  std::vector<Override> overrides;

  explicit Net(const std::vector<std::string>& texts, Io io = Io::Float) {
    ValueId x = graph.add_input("x", DType::Float32, {-1, 4, 6, 6});
    const ValueId skipped = graph.add_op("Relu", "relu1", {conv(x, "1")});
    const ValueId factors = graph.add_constant("c", test::random_tensor({4, 1, 1}, 3, 0.5F, 2));
    const ValueId scaled = graph.add_op("Mul", "mul", {conv(skipped, "2"), factors});
    const ValueId sum = graph.add_op("Add", "add", {scaled, skipped});
    graph.add_output(graph.add_op("Mul", "scale", {sum, factors}));
    infer_shapes(graph);
    for (const std::string& text : texts) overrides.push_back(parse_override(text));
    copy_between_widths(graph, targets(), {}, overrides, io);
  }
  static TargetSet targets() { return TargetSet(std::vector<std::string>{"tflite"}); }
  ValueId conv(ValueId in, const std::string& number) {
    const ValueId weight = graph.add_constant("w" + number, test::random_tensor({4, 4, 1, 1}, 7));
    return graph.add_op("Conv", "conv" + number, {in, weight});
  }

  /// What the nodes read, in order; "/16" behind values on 16 bits.
  std::string text(Io io = Io::Float) const {
    const Placement placement = place(graph, targets(), {}, {}, overrides, io);
    const auto value = [&](ValueId id) {
      const auto group = placement.group_of.find(id);
      const bool wide = group != placement.group_of.end() &&
                        placement.groups[group->second].scheme.activation_bits == 16;
      return graph.value(id).name + (wide ? "/16" : "");
    };
    std::string text;
    for (const NodeId id : graph.order()) {
      const Node& node = graph.node(id);
      text += (text.empty() ? "" : "; ") + value(node.outputs[0]) + " =";
      for (const ValueId in : node.inputs) text += " " + value(in);
    }
    return text;
  }
};

TEST(Widths, KeepWhatIsKnownOfCopies) {
  const Net plain({});
  const Placement placement = place(plain.graph, Net::targets());
  const Placement alone = each_alone(plain.graph, placement);
  bool given = false;
  const Calibration seen = observe(plain.graph, alone, [&](std::vector<float>& images) -> int64_t {
    if (std::exchange(given, true)) return 0;
    const Tensor drawn = test::random_tensor({8, 4, 6, 6}, 5, -1, 2);
    images.assign(drawn.as<float>().begin(), drawn.as<float>().end());
    return 8;
  });
  const Net net({"conv2=int16"});
  const Placement wide = place(net.graph, Net::targets(), {}, {}, net.overrides);
  const Calibration found = regroup(net.graph, wide, alone, seen);
  const ValueId copy = *net.graph.find("relu1/int16");
  EXPECT_EQ(found.means.size(), 2U);
  EXPECT_EQ(found.means.at(copy), seen.means.at(*plain.graph.find("relu1")));
  EXPECT_EQ(found.sketches.at(wide.group_of.at(copy)).histogram,
            seen.sketches.at(alone.group_of.at(*plain.graph.find("relu1"))).histogram);
}

TEST(Widths, AreChangedByCopies) {
  struct Row {
    const char* name;
    std::vector<std::string> overrides;
    std::string nodes;
    Io io = Io::Float;
  };
  const Row rows[] = {
      {"all of 8 bits",
       {"conv1=per-tensor"},
       "conv1 = x w1; relu1 = conv1; conv2 = relu1 w2; mul = conv2 c; add = mul relu1; scale = add "
       "c"},
      {"one node between two copies",
       {"conv2=int16"},
       "conv1 = x w1; relu1 = conv1; relu1/int16/16 = relu1; conv2/16 = relu1/int16/16 w2; "
       "conv2/int8 = conv2/16; mul = conv2/int8 c; add = mul relu1; scale = add c"},
      {"the input goes with who reads it, and two readers share a copy",
       {"conv1=int16"},
       "conv1/16 = x/16 w1; relu1/16 = conv1/16; relu1/int8 = relu1/16; conv2 = relu1/int8 w2; mul "
       "= "
       "conv2 c; add = mul relu1/int8; scale = add c"},
      {"a constant of both widths is there twice",
       {"mul=int16"},
       "conv1 = x w1; relu1 = conv1; conv2 = relu1 w2; conv2/int16/16 = conv2; mul/16 = "
       "conv2/int16/16 c/int16/16; mul/int8 = mul/16; add = mul/int8 relu1; scale = add c"},
      {"integers at the ends have 8 bits",
       {"*=int16"},
       "x/int16/16 = x; conv1/16 = x/int16/16 w1; relu1/16 = conv1/16; conv2/16 = relu1/16 w2; "
       "mul/16 = conv2/16 c/16; add/16 = mul/16 relu1/16; scale/int8/16 = add/16 c/16; scale = "
       "scale/int8/16",
       Io::Int8},
      {"what float makes is rounded to 16 bits at once",
       {"conv2=float", "mul=int16"},
       "conv1 = x w1; relu1 = conv1; conv2/16 = relu1 w2; mul/16 = conv2/16 c/int16/16; mul/int8 = "
       "mul/16; add = mul/int8 relu1; scale = add c"},
  };
  for (const Row& row : rows) {
    Net net(row.overrides, row.io);
    EXPECT_EQ(net.text(row.io), row.nodes) << row.name;
    copy_between_widths(net.graph, Net::targets(), {}, net.overrides, row.io);
    EXPECT_EQ(net.text(row.io), row.nodes) << row.name << ", again";
  }
}

}  // namespace
}  // namespace octet
