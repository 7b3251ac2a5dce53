#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// Where a set of quantization parameters comes from.
enum class Origin : uint8_t {
  Observed,  ///< from the range of the data (activations, constants, weights)
  Fixed,     ///< from the operator: softmax is in [0, 1] whatever the data
  Derived,   ///< from other entries: bias scale = input scale x weight scale
  Imported,  ///< from a quantized file: never changed
  Learned,   ///< scales of a weight that training moved: from its data no more
};

/// real = scale * (integer - zero_point). One scale and zero point, or one of each per index of
/// `axis`. Integers are in [low, high]; weights use a narrow range.
struct QuantParams {
  DType type = DType::Int8;
  int axis = -1;  ///< -1: per tensor
  int32_t low = -128;
  int32_t high = 127;
  std::vector<float> scale;
  std::vector<int32_t> zero_point;
  Origin origin = Origin::Observed;

  bool per_tensor() const { return axis < 0; }
  bool operator==(const QuantParams&) const = default;
};

/// An integer stands for the same number in both: scales and zero points are equal, and run along
/// the same axis where there are several. Bounds, type and origin may differ.
bool same_grid(const QuantParams& a, const QuantParams& b);

/// A value whose integers are looked up by those of another one: entries[q - low of the source's
/// grid]. The nodes between them are pointwise and never run.
struct Lookup {
  ValueId source = kAbsent;
  std::vector<int32_t> entries;
  std::vector<NodeId> nodes;  ///< in order, the last one makes the value

  bool operator==(const Lookup&) const = default;
};

/// The one table of quantization parameters of a network: simulation, training and every writer
/// read the same entries. Keyed by value; a reader that sees the value on another grid has an
/// entry of its own per use. Values without an entry are either not quantized (integer indices) or
/// never materialized (the sum inside Conv -> Relu).
class QuantTable {
 public:
  void set(ValueId value, QuantParams params) { values_[value] = std::move(params); }
  void erase(ValueId value) { values_.erase(value); }
  /// nullptr when the value has no entry.
  const QuantParams* find(ValueId value) const;
  /// Like `find`, but throws Code::Unsupported naming the value.
  const QuantParams& at(ValueId value, const Graph& graph) const;

  const std::map<ValueId, QuantParams>& values() const { return values_; }

  void set_lookup(ValueId value, Lookup lookup) { lookups_[value] = std::move(lookup); }
  /// nullptr when the value is computed otherwise.
  const Lookup* find_lookup(ValueId value) const;
  const std::map<ValueId, Lookup>& lookups() const { return lookups_; }
  /// The node is inside a lookup.
  bool looked_up(NodeId node) const;

  /// The node computes in float: what it reads stands for real numbers, and what it makes is
  /// rounded where it has an entry.
  void set_in_float(NodeId node) { in_float_.insert(node); }
  const std::set<NodeId>& in_float() const { return in_float_; }

 private:
  std::map<ValueId, QuantParams> values_;
  std::map<ValueId, Lookup> lookups_;
  std::set<NodeId> in_float_;
};

}  // namespace octet
