#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <unordered_map>
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
  /// The name of an initializer with this type, shape and data: of one that `share` added before,
  /// or of a new one.
  std::string share(const Tensor& tensor, const std::string& tensor_name);
  onnx::NodeProto& add_node(const std::string& op, const std::string& node_name,
                            const std::vector<std::string>& inputs,
                            const std::vector<std::string>& outputs);
  /// The node as the graph has it, but for the names of its inputs and outputs.
  void write_node(const Node& node, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs);

  const Graph& graph_;

 private:
  onnx::ModelProto model_;
  onnx::GraphProto& out_;
  std::unordered_multimap<size_t, int> shared_;  ///< hash of the data -> index of the initializer
};

void write_attribute(const std::string& name, const Attribute& attribute, onnx::NodeProto& node);

/// The quantized network in QDQ form.
std::vector<std::byte> write_qdq(const Graph& graph, const QuantTable& table);

}  // namespace octet
