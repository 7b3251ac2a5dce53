#include <memory>
#include <string>
#include <vector>

#include "formats/onnx/onnx_file.h"
#include "formats/onnx/qdq_writer.h"

namespace octet {

void FloatWriter::write_nodes() {
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

std::vector<std::byte> write_onnx(const Graph& graph) { return FloatWriter(graph).write(); }

namespace {

std::unique_ptr<QdqWriter> writer_of(const Graph& graph, const QuantTable& table,
                                     const FileForm& form) {
  if (form.onnx == OnnxForm::QOperator) return qoperator_writer(graph, table, form);
  return std::make_unique<QdqWriter>(graph, table, form);
}

}  // namespace

std::vector<std::byte> write_onnx(const Graph& graph, const QuantTable& table,
                                  const FileForm& form) {
  const auto writer = writer_of(graph, table, form);
  writer->add_properties(form.properties);
  return writer->write();
}

std::vector<HeldValue> held_by_onnx(const Graph& graph, const QuantTable& table,
                                    const FileForm& form) {
  return writer_of(graph, table, form)->held();
}

}  // namespace octet
