#include "formats/onnx/network_file.h"

#include <onnx/onnx_pb.h>

#include "base/fail.h"
#include "formats/onnx/graph_writer.h"
#include "formats/onnx/model_file.h"
#include "formats/onnx/onnx_file.h"
#include "formats/onnx/table_json.h"
#include "formats/onnx/tensor_proto.h"

namespace octet {
namespace {

constexpr const char* kFormatKey = "octet.format";
constexpr const char* kTableKey = "octet.table";
constexpr const char* kFormat = "1";

class NetworkWriter final : public FloatWriter {
 public:
  using FloatWriter::FloatWriter;

 private:
  void write_nodes() override {
    FloatWriter::write_nodes();
    for (const NodeId id : graph_.order()) {
      for (const ValueId out : graph_.node(id).outputs) {
        if (out != kAbsent && !graph_.is_output(out)) add_value_info(graph_.value(out));
      }
    }
  }
};

onnx::ModelProto parse(const std::filesystem::path& path) {
  try {
    return parse_model(path);
  } catch (const Error& error) {
    if (!std::string_view(error.what()).contains("not an ONNX file")) throw;
    fail(Code::Model,
         "{} is not a network file of octet, or a truncated one; copy it again, or write it with "
         "'octet quantize -o NAME.octet'",
         path.string());
  }
}

/// The properties of the file, its table among them.
Properties properties_of(const onnx::ModelProto& model, const std::filesystem::path& path) {
  Properties found;
  for (const auto& entry : model.metadata_props()) found[entry.key()] = entry.value();
  const auto format = found.find(kFormatKey);
  if (format == found.end() || !found.contains(kTableKey)) {
    fail(Code::Model,
         "{} is an ONNX file, but no network file of octet: its metadata lack '{}'; write one with "
         "'octet quantize -o NAME.octet'",
         path.string(), format == found.end() ? kFormatKey : kTableKey);
  }
  if (format->second != kFormat) {
    fail(Code::Model,
         "{} has the format {} of network files, this octet reads format {}; write it again with "
         "this octet, or use the one that made it",
         path.string(), format->second, kFormat);
  }
  return found;
}

/// The types and shapes that the file states.
void take_types(const onnx::ModelProto& model, Graph& graph) {
  const auto take = [&](const onnx::ValueInfoProto& info) {
    const auto id = graph.find(info.name());
    if (!id || graph.is_constant(*id)) return;
    const auto& type = info.type().tensor_type();
    Value& value = graph.value(*id);
    value.dtype = dtype_from_onnx(type.elem_type(), std::format("the value '{}'", info.name()));
    value.shape_known = type.has_shape();
    value.shape.clear();
    for (const auto& dim : type.shape().dim()) {
      value.shape.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
    }
  };
  for (const auto& info : model.graph().value_info()) take(info);
  for (const auto& info : model.graph().output()) take(info);
}

}  // namespace

std::vector<std::byte> write_network(const Graph& graph, const QuantTable& table,
                                     const Properties& properties) {
  NetworkWriter writer(graph);
  writer.add_properties(properties);
  writer.add_properties({{kFormatKey, kFormat}, {kTableKey, table_to_json(graph, table)}});
  return writer.write();
}

NetworkFile read_network_file(const std::filesystem::path& path) {
  onnx::ModelProto model = parse(path);
  NetworkFile network{.graph = {}, .table = {}, .properties = properties_of(model, path)};
  model.mutable_graph()->clear_initializer();  // they are read below, and large
  network.graph = read_onnx(path);
  try {
    take_types(model, network.graph);
    network.table = table_from_json(network.properties.at(kTableKey), network.graph);
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", path.string(), error.what());
  }
  network.properties.erase(kTableKey);
  network.properties.erase(kFormatKey);
  return network;
}

}  // namespace octet
