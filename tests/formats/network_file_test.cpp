#include "formats/onnx/network_file.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <bit>
#include <cmath>

#include "formats/onnx/table_json.h"
#include "pipeline/small_networks.h"
#include "support/error_of.h"
#include "support/onnx_model.h"

namespace octet {
namespace {

using namespace test;

const Properties kProperties{{"octet.targets", "onnxruntime-cpu,tflite"}, {"octet.seed", "7"}};

TEST(NetworkFile, GivesTheSameFilesAsTheNetworkItself) {
  for (const NamedNetwork& row : kSmallNetworks) {
    SCOPED_TRACE(row.name);
    Quantized network = quantized(row.build);
    for (const NodeId id : network.graph.order()) {  // one of the constants
      const Node& node = network.graph.node(id);
      if (node.op == "Conv") network.graph.value(node.inputs[1]).fixed = true;
    }
    const TempFolder folder;
    const auto bytes = write_network(network.graph, network.table, kProperties);
    write_file(folder / "n.octet", bytes);
    const NetworkFile read = read_network_file(folder / "n.octet");
    EXPECT_EQ(read.properties, kProperties);
    EXPECT_EQ(write_onnx(read.graph, read.table), write_onnx(network.graph, network.table));
    EXPECT_EQ(write_tflite(read.graph, read.table), write_tflite(network.graph, network.table));
    EXPECT_EQ(write_network(read.graph, read.table, kProperties), bytes);
    for (const NodeId id : network.graph.order()) {
      for (const ValueId value : network.graph.node(id).outputs) {
        const Value& wanted = network.graph.value(value);
        const Value& got = read.graph.value(read.graph.find(wanted.name).value());
        EXPECT_EQ(got.shape, wanted.shape) << wanted.name;
        EXPECT_EQ(got.dtype, wanted.dtype) << wanted.name;
        EXPECT_EQ(got.shape_known, wanted.shape_known) << wanted.name;
      }
      for (const ValueId value : network.graph.node(id).inputs) {
        const Value& wanted = network.graph.value(value);
        EXPECT_EQ(read.graph.value(read.graph.find(wanted.name).value()).fixed, wanted.fixed);
      }
    }
  }
}

TEST(NetworkFile, IsAnOnnxModelOfTheFloatNetwork) {
  const Quantized network = quantized(activated);
  const TempFolder folder;
  write_file(folder / "n.onnx", write_network(network.graph, network.table, kProperties));
  const Tensor images = random_tensor({2, 3, 6, 6}, 5);
  write_file(folder / "float.onnx", write_onnx(network.graph));
  EXPECT_EQ(open_session(folder / "n.onnx", 1)->run(images.as<float>(), 2),
            open_session(folder / "float.onnx", 1)->run(images.as<float>(), 2));
}

TEST(NetworkFile, KeepsEveryBitOfItsNumbers) {
  rc::check([] {
    Graph graph;
    const ValueId x = graph.add_input("x", DType::Float32, {1, 2});
    const auto bits = *rc::gen::inRange<uint32_t>(1, 0x7F800000);  // every finite number above 0
    const QuantParams params{.scale = {std::bit_cast<float>(bits)},
                             .zero_point = {*rc::gen::inRange(-128, 128)},
                             .origin = *rc::gen::element(Origin::Observed, Origin::Fixed,
                                                         Origin::Derived, Origin::Imported)};
    QuantTable table;
    table.set(x, params);
    const QuantTable read = table_from_json(table_to_json(graph, table), graph);
    RC_ASSERT(read.values() == table.values());
  });
}

/// A network file whose metadata entry `key` is another one.
void expect_refused(const std::string& key, const std::string& text, const std::string& message) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 4});
  graph.add_output(graph.add_op("Relu", "y", {x}));
  infer_shapes(graph);
  const QuantTable table;
  const auto bytes = write_network(graph, table, {});
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  for (auto& entry : *model.mutable_metadata_props()) {
    if (entry.key() == key) entry.set_value(text);
  }
  const TempFolder folder;
  const auto path = write_model(folder, model, "n.octet");
  const Error error = error_of([&] { read_network_file(path); });
  EXPECT_EQ(error.code(), Code::Model) << key;
  EXPECT_EQ(folder.without(error.what()), message);
}

TEST(NetworkFile, RefusesWhatItDoesNotKnow) {
  expect_refused("octet.format", "2",
                 "n.octet has the format 2 of network files, this octet reads format 1; write it "
                 "again with this octet, or use the one that made it");
  const auto table = [](const std::string& values, const std::string& lookups = "{}",
                        const std::string& fixed = "[]") {
    return R"({"values": )" + values + R"(, "lookups": )" + lookups + R"(, "fixed": )" + fixed +
           "}";
  };
  const auto params = [](const std::string& scale, const std::string& type = "int8") {
    return R"({"x": {"type": ")" + type + R"(", "axis": -1, "low": -128, "high": 127, "scale": )" +
           scale + R"(, "zero_point": [0], "origin": "observed"}})";
  };
  expect_refused("octet.table", table(R"({"z": {}})"),
                 "n.octet: its table names the value 'z', which its graph does not have");
  expect_refused("octet.table", table("{}", "{}", R"(["z"])"),
                 "n.octet: its table names the value 'z', which its graph does not have");
  expect_refused("octet.table", table(params("[0.1]", "int4")),
                 "n.octet: its table has the unknown word \"int4\"");
  for (const char* scale : {"[0]", "[-1]", "[0.1, 0.2]", "[]"}) {
    const std::string count = scale == std::string("[0.1, 0.2]") ? "2"
                              : scale == std::string("[]")       ? "0"
                                                                 : "1";
    expect_refused("octet.table", table(params(scale)),
                   "n.octet: the parameters of 'x' (Nx4) in its table are " + count +
                       " scales and 1 zero points along axis -1; wanted as many of both, scales "
                       "above 0, and an axis that is there (-1: one number)");
  }
  expect_refused("octet.table",
                 table("{}", R"({"y": {"source": "x", "entries": [1], "nodes": ["x"]}})"),
                 "n.octet: its table names the node that makes \"x\", but there is none");
  expect_refused("octet.table", "{\"values\"",
                 "n.octet: its table cannot be read: [json.exception.parse_error.101] parse error "
                 "at line 1, column 10: syntax error while parsing object separator - unexpected "
                 "end of input; expected ':'");
  expect_refused("octet.table", "{}",
                 "n.octet: its table cannot be read: [json.exception.out_of_range.403] key "
                 "'values' not found");
}

TEST(NetworkFile, RefusesFilesThatAreNone) {
  const TempFolder folder;
  const Quantized network = quantized(cubic);
  const auto bytes = write_network(network.graph, network.table, {});
  write_file(folder / "cut.octet", std::span(bytes).first(bytes.size() / 2));
  write_file(folder / "plain.octet", write_onnx(network.graph));
  folder.write("empty.octet", "");
  const std::pair<const char*, const char*> cases[] = {
      {"missing.octet", "cannot read missing.octet: No such file or directory"},
      {"empty.octet", "empty.octet is empty; wanted an ONNX file"},
      {"cut.octet",
       "cut.octet is not a network file of octet, or a truncated one; copy it again, or write it "
       "with 'octet quantize -o NAME.octet'"},
      {"plain.octet",
       "plain.octet is an ONNX file, but no network file of octet: its metadata lack "
       "'octet.format'; write one with 'octet quantize -o NAME.octet'"},
  };
  for (const auto& [file, message] : cases) {
    const Error error = error_of([&] { read_network_file(folder / file); });
    EXPECT_EQ(error.code(), Code::Model) << file;
    EXPECT_EQ(folder.without(error.what()), message);
  }
}

}  // namespace
}  // namespace octet
