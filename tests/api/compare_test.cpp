#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "pipeline/parity.h"
#include "pipeline/twin_files.h"
#include "support/error_of.h"
#include "support/onnx_model.h"

namespace octet {
namespace {

using namespace test;

const std::vector<std::string> kBoth{"onnxruntime-cpu", "tflite"};

/// x -> Conv (c, c_1) -> Gelu by a table -> mean -> Gemm (c_2, c_3).
Quantized small_net() {
  SmallNet small;
  const ValueId image = small.op("Gelu", {small.conv(small.x)});
  const ValueId flat = small.op("Flatten", {small.op("GlobalAveragePool", {image})});
  small.graph.add_output(small.op("Gemm", {flat, small.c({4, 5}), small.c({5})}));
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  return {std::move(small.graph), kBoth, data.as<float>(), 8};
}

onnx::NodeProto& node_named(onnx::ModelProto& model, const std::string& name) {
  for (auto& node : *model.mutable_graph()->mutable_node()) {
    if (node.name() == name) return node;
  }
  throw std::runtime_error("no node " + name);
}

/// Input `index` of a node becomes a constant of its own, changed in its first bytes.
void tamper(onnx::ModelProto& model, const std::string& node, int index,
            const std::function<void(char*)>& change) {
  onnx::NodeProto& reader = node_named(model, node);
  auto& graph = *model.mutable_graph();
  for (const auto& held : graph.initializer()) {
    if (held.name() != reader.input(index)) continue;
    onnx::TensorProto copy = held;
    copy.set_name(held.name() + "/tampered");
    change(copy.mutable_raw_data()->data());
    reader.set_input(index, copy.name());
    *graph.add_initializer() = copy;
    return;
  }
  throw std::runtime_error("no constant");
}

void add_one(char* bytes) { ++bytes[0]; }
void double_float(char* bytes) {
  float held = 0;
  std::memcpy(&held, bytes, sizeof held);
  held *= 2;
  std::memcpy(bytes, &held, sizeof held);
}

struct Tampered {
  const char* name;
  const char* node;
  int input;
  void (*change)(char*);
  const char* tensor;
  const char* what;
};

TEST(Compare, NamesWhatWasTamperedWithInOnnx) {
  const Quantized net = small_net();
  const Tampered rows[] = {
      {"weight", "c/dequantize", 0, add_one, "c", "integers"},
      {"weight scale", "c/dequantize", 1, double_float, "c", "scale"},
      {"bias", "c_1/dequantize", 0, add_one, "c_1", "integers"},
      {"matrix", "c_2/dequantize", 0, add_one, "c_2", "integers"},
      {"activation scale", "Gemm_4/dequantize", 1, double_float, "Gemm_4", "scale"},
      {"zero point", "Gemm_4/dequantize", 2, add_one, "Gemm_4", "zero point"},
      {"table", "Gelu_1/entries", 0, add_one, "Gelu_1", "table"},
  };
  const TwinFiles files(net.graph, net.table, kBoth);
  for (const Tampered& row : rows) {
    SCOPED_TRACE(row.name);
    onnx::ModelProto model = onnx_of(files.path("onnxruntime-cpu"));
    tamper(model, row.node, row.input, row.change);
    const TempFolder folder;
    const auto path = write_model(folder, model, "tampered.onnx");
    for (const char* other : {"tflite", "onnxruntime-cpu"}) {
      const bool kernel = std::string_view(row.what) == "table" && other == std::string("tflite");
      if (kernel) continue;  // TFLite's GELU makes its own
      const Comparison found = compare(path, files.path(other));
      EXPECT_FALSE(found.equal());
      ASSERT_EQ(found.differences.size(), 1U) << other;
      EXPECT_EQ(found.differences[0].tensor, row.tensor);
      EXPECT_EQ(found.differences[0].what, row.what);
    }
  }
}

TEST(Compare, NamesWhatWasTamperedWithInTflite) {
  const Quantized net = small_net();
  const TwinFiles files(net.graph, net.table, kBoth);
  const auto model = tflite_of(files.path("tflite"));
  for (auto& tensor : model->subgraphs[0]->tensors) {
    if (tensor->name == "c_2") ++model->buffers[tensor->buffer]->data[7];
  }
  flatbuffers::FlatBufferBuilder builder;
  tflite::FinishModelBuffer(builder, tflite::CreateModel(builder, model.get()));
  const TempFolder folder;
  write_file(folder / "n.tflite",
             std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())));
  const Comparison found = compare(files.path("onnxruntime-cpu"), folder / "n.tflite");
  ASSERT_EQ(found.differences.size(), 1U);
  EXPECT_EQ(found.differences[0].tensor, "c_2");
  EXPECT_TRUE(found.differences[0].a.ends_with("(1 of 20 differ)")) << found.differences[0].a;
}

TEST(Compare, SaysWhyOnlyOneFileHasATable) {
  const Quantized net = small_net();
  const TwinFiles files(net.graph, net.table, kBoth);
  const Comparison found = compare(files.path("onnxruntime-cpu"), files.path("tflite"));
  EXPECT_TRUE(found.equal());
  EXPECT_EQ(found.constants, 4);
  EXPECT_EQ(found.tables, 0);
  ASSERT_FALSE(found.one_sided.empty());
  EXPECT_EQ(found.one_sided[0].tensor, "Gelu_1");
  EXPECT_EQ(found.one_sided[0].what, "table");
  EXPECT_EQ(found.one_sided[0].reason, "TFLite's GELU makes its own");
}

TEST(Compare, TellsNetworksApart) {
  const Quantized net = small_net();
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {small.mixed(small.x)}));
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  const Quantized other(std::move(small.graph), kBoth, data.as<float>(), 8);
  const TwinFiles files(net.graph, net.table, kBoth);
  const TwinFiles others(other.graph, other.table, kBoth);
  const Comparison found = compare(files.path("tflite"), others.path("onnxruntime-cpu"));
  EXPECT_FALSE(found.equal());
  EXPECT_EQ(found.differences.at(0).tensor, "c");
  EXPECT_EQ(found.differences.at(0).what, "scale");
}

TEST(Compare, IsWrittenAsJson) {
  const Comparison found{.values = 2,
                         .constants = 1,
                         .differences = {{"w", "integers", "1 at 0 (1 of 2 differ)", "2 at 0"}},
                         .one_sided = {{"b", "tensor", "a.onnx", "a rule"}}};
  const auto json = nlohmann::json::parse(to_json(found));
  EXPECT_EQ(json["equal"], false);
  EXPECT_EQ(json["values"], 2);
  EXPECT_EQ(json["differences"][0]["tensor"], "w");
  EXPECT_EQ(json["one_sided"][0]["reason"], "a rule");
}

// --- The network behind a file -------------------------------------------------------------------

Graph graph_of(const std::function<ValueId(SmallNet&)>& build) {
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {build(small)}));
  return std::move(small.graph);
}

TEST(Adopt, RefusesAFileOfAnotherNetworkByItsFirstTensor) {
  const auto conv = [](SmallNet& n) { return n.conv(n.x); };
  struct Row {
    const char* name;
    std::function<ValueId(SmallNet&)> build;
    const char* message;
  };
  const Row rows[] = {
      {"one layer more", [](SmallNet& n) { return n.op("Gelu", {n.conv(n.x)}); },
       "n.onnx is a file of another network: it has no tensor 'Gelu_1', which the network has; "
       "give "
       "the network that it was made from"},
      {"one layer less",
       [](SmallNet& n) { return n.op("MaxPool", {n.x}, {{"kernel_shape", L{2, 2}}}); },
       "n.onnx is a file of another network: 'x' and 'Flatten_1' have different grids, which are "
       "one "
       "in the network; give the network that it was made from"},
      {"more channels",
       [](SmallNet& n) { return n.op("Conv", {n.x, n.c({5, 3, 3, 3}), n.c({5})}); },
       "n.onnx is a file of another network: 'c' is 4x3x3x3 with 4 scales there, and 5x3x3x3 in "
       "the "
       "network; give the network that it was made from"},
      {"no bias", [](SmallNet& n) { return n.op("Conv", {n.x, n.c({4, 3, 3, 3})}); },
       "n.onnx is a file of another network: it has a tensor 'c_1', which the network has not; "
       "give "
       "the network that it was made from"},
  };
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  const Quantized net(graph_of(conv), kBoth, data.as<float>(), 8);
  const TwinFiles files(net.graph, net.table, kBoth);
  StoredFile stored = read_stored(files.path("onnxruntime-cpu"));
  for (const Row& row : rows) {
    std::string message = message_of([&] { adopt(graph_of(row.build), stored); });
    const std::string folder = files.folder().string() + "/";
    if (message.starts_with(folder)) message.erase(0, folder.size());
    EXPECT_EQ(message, row.message) << row.name;
  }
}

TEST(Adopt, TakesTheTargetOfTheFormatWhereNoneIsNamed) {
  const Graph original = graph_of([](SmallNet& n) { return n.op("Sigmoid", {n.mixed(n.x)}); });
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  for (const std::string target : {"onnxruntime-cpu", "tflite"}) {
    const Quantized net(original, {target}, data.as<float>(), 8);
    const TwinFiles files(net.graph, net.table, {target});
    const QuantizedNetwork adopted = adopt(original, read_stored(files.path(target)));
    EXPECT_TRUE(file_of(adopted.graph, adopted.table, target) ==
                read_file(files.path(target), Code::Io));
  }
}

}  // namespace
}  // namespace octet
