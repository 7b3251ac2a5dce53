#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/file_form.h"
#include "formats/held_value.h"
#include "formats/onnx/graph_writer.h"
#include "ops/op_def.h"

namespace octet {

/// QDQ form. A value `x` of the table becomes: x (float, as made) -> QuantizeLinear -> x/quantized
/// -> DequantizeLinear -> x/dequantized, where somebody reads it in float. The last
/// DequantizeLinear before a graph output gives it its name. Constants that are equal are one
/// initializer.
class QdqWriter : public GraphWriter {
 public:
  QdqWriter(const Graph& graph, const QuantTable& table, const FileForm& form)
      : GraphWriter(graph), table_(table), form_(form) {}

  /// Instead of `write`: where the file holds the integers of computed values.
  std::vector<HeldValue> held();

 protected:
  /// Writes a node as an operator on integers; false: it is none, and stands between
  /// DequantizeLinear and QuantizeLinear.
  virtual bool write_operator(const Node& /*node*/) { return false; }

  const QuantParams* find_grid(ValueId id) const { return table_.find(id); }
  /// The tensor of the value's integers: at an end of integers the graph's own name.
  std::string integers_of(ValueId out) const;
  /// The integers of a value, computed or constant.
  std::string integers(ValueId id);
  /// The value's integers are made from now on.
  void made_integers(ValueId id) { quantized_[id] = integers_of(id); }
  /// What a node reads for a value as a real number; constants, and the real numbers of integers,
  /// are written when first asked for.
  std::string reader(ValueId id);
  /// The initializers of the scale and of the zero point.
  std::pair<std::string, std::string> params_of(ValueId id);

 private:
  /// Integers as tables take them for indices, and the shape to come back to.
  struct Row {
    std::string index;
    std::string shape;
  };

  QuantParams stored(ValueId id) const;
  std::optional<QuantParams> end(ValueId id) const;
  DType end_type(ValueId id) const override;
  bool is_stored(const QuantParams& end, ValueId id) const;
  /// The text with what it takes to be the name of no value of the graph.
  std::string unused(std::string text) const;
  /// A name that no value of the graph has: the value's, and what stands for it.
  std::string named(ValueId id, std::string_view what) const;

  void write_nodes() override;
  void write_input(ValueId id);
  void write_output(ValueId id);
  void convert_end(const std::string& op, const QuantParams& grid,
                   const std::pair<std::string, std::string>& from_to, const std::string& node);
  void note_grid(ValueId id, const QuantParams& params);
  void say_grids();
  void write_one(const Node& node);
  void write_in_float(const Node& node);
  void write_lookup(ValueId out, const Lookup& lookup);
  bool write_on_integers(const Node& node);
  void write_clip(const Node& node, std::pair<float, float> bounds);
  void write_filled(const Node& node, size_t fill);
  void write_global_max(const Node& node);
  void write_space_to_depth(const Node& node);
  void write_extreme(const Node& node);
  void write_rescaled(const Node& node);
  void quantize_from(ValueId id, const std::string& real);
  std::string dequantized(ValueId id);
  std::pair<std::string, std::string> add_grid(const std::string& prefix,
                                               const QuantParams& params);
  std::string add_list(const std::string& list_name, const std::vector<int64_t>& numbers);
  std::string add_result(const std::string& op, const std::string& node_name,
                         const std::vector<std::string>& inputs);
  std::string cast(const std::string& from, const std::string& to, int64_t type);
  bool follows_source(const Node& node) const;
  bool is_copy(const Node& node) const;
  bool cuts_at_zero(const Node& node) const;
  bool would_be_rounded(const Node& node) const;
  bool on_one_grid(const Node& node) const;
  const Absorbable* clip_on_one_grid(const Node& node) const;

  const QuantTable& table_;
  FileForm form_;
  std::vector<std::string> readers_;
  std::map<ValueId, std::string> quantized_;
  std::map<std::string, Row> rows_;  ///< by the integers that are looked up
};

/// The network in QOperator form: ONNX Runtime's operators on integers, as far as it has them.
std::unique_ptr<QdqWriter> qoperator_writer(const Graph& graph, const QuantTable& table,
                                            const FileForm& form);

}  // namespace octet
