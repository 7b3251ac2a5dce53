#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet {

/// Writes a graph as an ONNX model, node by node; names are the graph's. A subclass says what
/// becomes of each node.
class GraphWriter {
 public:
  explicit GraphWriter(const Graph& graph);
  GraphWriter(const GraphWriter&) = delete;
  GraphWriter& operator=(const GraphWriter&) = delete;

  /// The bytes of the file. Throws Code::Unsupported for a model of more than 2 GiB.
  std::vector<std::byte> write();

 protected:
  ~GraphWriter() = default;
  virtual void write_nodes() = 0;

  /// Empty for a value that is not given.
  const std::string& name(ValueId id) const;
  void add_initializer(const Tensor& tensor, const std::string& tensor_name);
  onnx::NodeProto& add_node(const std::string& op, const std::string& node_name,
                            const std::vector<std::string>& inputs,
                            const std::vector<std::string>& outputs);
  /// The node as the graph has it, but for the names of its inputs and outputs.
  void write_node(const Node& node, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs);

  /// An operator of another domain than ONNX's, at version 1.
  onnx::NodeProto& add_node_of(const std::string& domain, const std::string& op,
                               const std::string& node_name, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs);

  const Graph& graph_;

 private:
  onnx::ModelProto model_;
  onnx::GraphProto& out_;
};

void write_attribute(const std::string& name, const Attribute& attribute, onnx::NodeProto& node);

/// The quantized network in QDQ form, and in QOperator form.
std::vector<std::byte> write_qdq(const Graph& graph, const QuantTable& table);
std::vector<std::byte> write_qoperator(const Graph& graph, const QuantTable& table);

}  // namespace octet
