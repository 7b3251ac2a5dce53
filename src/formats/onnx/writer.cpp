#include <string>
#include <vector>

#include "base/fail.h"
#include "formats/onnx/graph_writer.h"
#include "formats/onnx/onnx_file.h"

namespace octet {
namespace {

class FloatWriter final : public GraphWriter {
 public:
  using GraphWriter::GraphWriter;

 private:
  void write_nodes() override {
    std::vector<bool> written(graph_.value_count(), false);
    for (NodeId id : graph_.order()) {
      const Node& node = graph_.node(id);
      std::vector<std::string> inputs;
      for (ValueId in : node.inputs) {
        inputs.push_back(name(in));
        if (!graph_.is_constant(in) || written[static_cast<size_t>(in)]) continue;
        written[static_cast<size_t>(in)] = true;
        add_initializer(*graph_.value(in).constant, name(in));
      }
      std::vector<std::string> outputs;
      for (ValueId out : node.outputs) outputs.push_back(name(out));
      write_node(node, inputs, outputs);
    }
  }
};

}  // namespace

std::vector<std::byte> write_onnx(const Graph& graph) { return FloatWriter(graph).write(); }

std::vector<std::byte> write_onnx(const Graph& graph, const QuantTable& table) {
  return write_qdq(graph, table);
}

std::vector<std::byte> write_onnx(const Graph& graph, const QuantTable& table, OnnxForm form) {
  return form == OnnxForm::Qdq ? write_qdq(graph, table) : write_qoperator(graph, table);
}

OnnxForm onnx_form_named(std::string_view name) {
  if (name == "qdq") return OnnxForm::Qdq;
  if (name == "qoperator") return OnnxForm::QOperator;
  fail(Code::Usage, "unknown form '{}' of ONNX files; known are qdq, qoperator", name);
}

}  // namespace octet
