#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/onnx/graph_writer.h"
#include "ops/op_def.h"

namespace octet {

/// int8 parameters as ONNX Runtime wants them on x86: activations in uint8, everything moved by
/// 128. Weights (narrow, zero point 0) and biases stay as they are.
QuantParams deployed(const QuantParams& params);

/// QDQ form. A value `x` of the table becomes: x (float, as made) -> QuantizeLinear -> x/quantized
/// -> DequantizeLinear -> x/dequantized, which everybody reads. The last DequantizeLinear before a
/// graph output gives it its name.
class QdqWriter : public GraphWriter {
 public:
  /// When a DequantizeLinear is written: behind what makes the integers, as runtimes know the form,
  /// or where a node asks for real numbers.
  enum class When : uint8_t { AtOnce, Read };
  QdqWriter(const Graph& graph, const QuantTable& table, When when)
      : GraphWriter(graph), table_(table), when_(when) {}

 protected:
  ~QdqWriter() = default;
  /// Writes a node as an operator on integers; false: it is none, and stands between
  /// DequantizeLinear and QuantizeLinear.
  virtual bool write_operator(const Node& node) = 0;

  const QuantParams* find_grid(ValueId id) const { return table_.find(id); }
  /// A name that no value of the graph has: the value's, and what stands for it.
  std::string named(ValueId id, std::string_view what) const;
  std::string integers_of(ValueId out) const { return named(out, "/quantized"); }
  /// The integers of a value, computed or constant.
  const std::string& integers(ValueId id);
  /// What a node reads for a value as a real number; constants are written when first asked for.
  std::string reader(ValueId id);
  /// Writes the scale and the zero point of a value, as name/scale and name/zero_point.
  void add_params(ValueId id);
  /// The value's integers are made from now on.
  void made_integers(ValueId id) { made_integers(id, integers_of(id)); }

 private:
  void write_nodes() override;
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
  void round_trip(ValueId id, const std::string& real);
  void made_integers(ValueId id, std::string integers);
  std::string dequantized(ValueId id);
  std::string add_list(const std::string& list_name, const std::vector<int64_t>& numbers);
  std::string cast(const std::string& from, const std::string& to, int64_t type);
  bool follows_source(const Node& node) const;
  bool is_copy(const Node& node) const;
  bool on_one_grid(const Node& node) const;
  const Absorbable* clip_on_one_grid(const Node& node) const;

  const QuantTable& table_;
  const When when_;
  std::vector<std::string> readers_;
  std::map<ValueId, std::string> quantized_;
  std::set<ValueId> params_written_;
};

}  // namespace octet
