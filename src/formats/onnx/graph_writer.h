#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "formats/properties.h"
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
  virtual ~GraphWriter() = default;

  /// Puts them into the file's metadata.
  void add_properties(const Properties& properties);
  /// The bytes of the file. Throws Code::Unsupported for a model of more than 2 GiB.
  std::vector<std::byte> write();

 protected:
  virtual void write_nodes() = 0;
  /// The type of a graph input or output in the file.
  virtual DType end_type(ValueId id) const { return graph_.value(id).dtype; }

  /// Empty for a value that is not given.
  const std::string& name(ValueId id) const;
  void add_metadata(const std::string& key, const std::string& text);
  void add_initializer(const Tensor& tensor, const std::string& tensor_name);
  /// The name of an initializer with this type, shape and data: of one that `share` added before,
  /// or of a new one.
  std::string share(const Tensor& tensor, const std::string& tensor_name);
  onnx::NodeProto& add_node(const std::string& op, const std::string& node_name,
                            const std::vector<std::string>& inputs,
                            const std::vector<std::string>& outputs);
  /// States type and shape of a computed value that is no output of the graph.
  void add_value_info(const Value& value);
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
  std::unordered_multimap<size_t, int> shared_;  ///< hash of the data -> index of the initializer
};

/// The graph as it is.
class FloatWriter : public GraphWriter {
 public:
  using GraphWriter::GraphWriter;

 protected:
  void write_nodes() override;
};

void write_attribute(const std::string& name, const Attribute& attribute, onnx::NodeProto& node);

}  // namespace octet
