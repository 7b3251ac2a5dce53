// The form in which integer networks are written for ONNX Runtime: what it really executes, and
// that nothing stands in the file that nobody reads.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <set>

#include "base/file.h"
#include "formats/onnx/onnx_file.h"
#include "pipeline/parity.h"
#include "runtime/session.h"

namespace octet {
namespace {

using namespace test;

/// A network for ONNX Runtime alone, calibrated on eight images.
Quantized for_onnx_runtime(ValueId (*build)(SmallNet& net)) {
  SmallNet net;
  net.graph.add_output(net.op("Flatten", {build(net)}));
  const Tensor images = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  return {std::move(net.graph), {"onnxruntime-cpu"}, images.as<float>(), 8};
}

std::multiset<std::string> executed(const Quantized& net) {
  const TempFolder folder;
  write_file(folder / "n.onnx", write_onnx(net.graph, net.table));
  std::multiset<std::string> names;
  for (const OperatorUse& use : open_onnxruntime(folder / "n.onnx", 1)->operators()) {
    names.insert(use.name);
  }
  return names;
}

TEST(IntegerOnnx, LooksTablesUpByGatherElements) {
  const auto names =
      executed(for_onnx_runtime([](SmallNet& n) { return n.op("Gelu", {n.mixed(n.x)}); }));
  EXPECT_EQ(names.count("GatherElements"), 1);
}

TEST(IntegerOnnx, CutsAtZeroByATable) {
  struct Case {
    const char* name;
    ValueId (*build)(SmallNet& net);
    size_t leaky;  ///< QLinearLeakyRelu
  };
  const Case cases[] = {
      // Another reader of the sum keeps the convolution from taking the activation in.
      {"Relu",
       [](SmallNet& n) {
         const ValueId y = n.mixed(n.x);
         return n.op("Mul", {n.op("Relu", {y}), y});
       },
       1},
      {"Clip from 0 to the end of the grid",
       [](SmallNet& n) {
         const ValueId y = n.mixed(n.x);
         return n.op("Mul", {n.op("Clip", {y, n.number(0), n.number(6)}), y});
       },
       1},
      {"Clip from -1",
       [](SmallNet& n) {
         const ValueId y = n.mixed(n.x);
         return n.op("Mul", {n.op("Clip", {y, n.number(-1), n.number(6)}), y});
       },
       0},
  };
  for (const Case& row : cases) {
    const auto names = executed(for_onnx_runtime(row.build));
    EXPECT_EQ(names.count("QLinearLeakyRelu"), row.leaky) << row.name;
    // The input's own.
    EXPECT_EQ(names.count("QuantizeLinear"), row.leaky == 1 ? 1 : 2) << row.name;
  }
}

TEST(IntegerOnnx, NamesNothingAsAValueIsNamed) {
  const Quantized net = for_onnx_runtime([](SmallNet& n) {
    const ValueId first = n.graph.add_op("Conv", "x/scale", {n.x, n.c({3, 3, 1, 1})});
    return n.graph.add_op("Conv", "x/quantized", {first, n.c({3, 3, 1, 1})});
  });
  const auto names = executed(net);
  EXPECT_EQ(names.count("QLinearConv"), 2u);
}

TEST(IntegerOnnx, HoldsNothingThatNobodyReads) {
  const Quantized net = for_onnx_runtime([](SmallNet& n) {
    const ValueId y = n.op("Gelu", {n.mixed(n.x)});
    return n.op("Pad", {n.op("Max", {y, n.op("Relu", {y})}), n.list({0, 0, 1, 1, 0, 0, 1, 1})});
  });
  const auto bytes = write_onnx(net.graph, net.table);
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  std::set<std::string> read;
  for (const auto& output : model.graph().output()) read.insert(output.name());
  for (const auto& node : model.graph().node()) {
    read.insert(node.input().begin(), node.input().end());
  }
  for (const auto& node : model.graph().node()) {
    EXPECT_TRUE(read.contains(node.output(0))) << node.name();
  }
  for (const auto& constant : model.graph().initializer()) {
    EXPECT_TRUE(read.contains(constant.name())) << constant.name();
  }
}

}  // namespace
}  // namespace octet
