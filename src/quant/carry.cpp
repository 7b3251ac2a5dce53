#include "quant/carry.h"

#include <algorithm>
#include <cmath>

#include "graph/quantize_tensor.h"

namespace octet {
namespace {

template <class Rule>
const Rule* rule_of(const Placement& placement, ValueId id) {
  const auto group = placement.group_of.find(id);
  if (group == placement.group_of.end()) return nullptr;
  return std::get_if<Rule>(&placement.groups[group->second].rule);
}

/// The bias is on the scale of its products, but for the rounding of their product.
bool on_scale(const QuantParams& given, const QuantParams& derived) {
  for (size_t c = 0; c < derived.scale.size(); ++c) {
    const double scale = given.scale[given.scale.size() == 1 ? 0 : c];
    if (std::abs(scale - derived.scale[c]) > 1e-6 * scale) return false;
  }
  return given.scale.size() == 1 || given.scale.size() == derived.scale.size();
}

/// A bias with one scale for all of its channels as the table has it.
Tensor integers_of(const Tensor& real, QuantParams params) {
  if (params.scale.size() == 1) params.axis = -1;
  return quantize(real, params);
}

class Comparison {
 public:
  Comparison(const Graph& graph, const Placement& placement, const QuantTable& table,
             const QuantTable& given)
      : graph_(graph), placement_(placement), table_(table), given_(given) {}

  Carried run() {
    for (const auto& [id, params] : given_.values()) {
      const QuantParams* held = table_.find(id);
      if (!held) continue;
      if (rule_of<BiasGrid>(placement_, id)) {
        compare_bias(id, params, *held);
      } else {
        compare(id, params, *held);
      }
    }
    return std::move(found_);
  }

 private:
  const std::string& name(ValueId id) const { return graph_.value(id).name; }

  void compare(ValueId id, const QuantParams& given, const QuantParams& held) {
    if (same_grid(held, given)) {
      ++found_.tensors;
      return;
    }
    found_.changes.push_back(std::format("'{}': scale {} and zero point {} in place of {} and {}",
                                         name(id), held.scale[0], held.zero_point[0],
                                         given.scale[0], given.zero_point[0]));
  }

  void compare_bias(ValueId id, const QuantParams& given, const QuantParams& held) {
    const Tensor& real = *graph_.value(id).constant;
    if (given.type != DType::Int32 || !on_scale(given, held)) {
      found_.notes.push_back(std::format(
          "the bias '{}' is rounded anew: it is given at the scale {}, its products are "
          "at {}",
          name(id), given.scale[0], held.scale[0]));
      return;
    }
    const Tensor now = integers_of(real, held);
    const Tensor then = integers_of(real, given);
    if (now.bytes == then.bytes) {
      ++found_.tensors;
      return;
    }
    int64_t worst = 0;
    for (size_t i = 0; i < now.as<int32_t>().size(); ++i) {
      worst = std::max(
          worst, std::abs(static_cast<int64_t>(now.as<int32_t>()[i]) - then.as<int32_t>()[i]));
    }
    found_.changes.push_back(std::format(
        "the bias '{}' has more than 24 bits: its integers differ by up to {}", name(id), worst));
  }

  const Graph& graph_;
  const Placement& placement_;
  const QuantTable& table_;
  const QuantTable& given_;
  Carried found_;
};

}  // namespace

Carried compare_with_given(const Graph& graph, const Placement& placement, const QuantTable& table,
                           const QuantTable& given) {
  return Comparison(graph, placement, table, given).run();
}

std::vector<std::string> narrow_weights(Graph& graph, const Placement& placement,
                                        const QuantTable& given) {
  std::vector<std::string> lines;
  for (const auto& [id, params] : given.values()) {
    if (!rule_of<WeightGrid>(placement, id)) continue;
    Tensor integers = quantize(*graph.value(id).constant, params);
    const auto beyond = std::ranges::count(integers.as<int8_t>(), int8_t{-128});
    if (beyond == 0) continue;
    std::ranges::replace(integers.as<int8_t>(), int8_t{-128}, int8_t{-127});
    graph.value(id).constant = dequantize(integers, params);
    lines.push_back(std::format("the weight '{}' is -127 in place of -128 in {} place(s)",
                                graph.value(id).name, beyond));
  }
  return lines;
}

ValueId first_unknown(const Graph& graph, const Placement& placement) {
  const auto unknown = [&](ValueId id) {
    return id != kAbsent && rule_of<FromData>(placement, id) != nullptr;
  };
  for (const ValueId id : graph.inputs()) {
    if (unknown(id)) return id;
  }
  for (const NodeId node : graph.order()) {
    for (const ValueId out : graph.node(node).outputs) {
      if (unknown(out)) return out;
    }
  }
  return kAbsent;
}

Ranges constant_ranges(const Graph& graph, const Placement& placement) {
  Ranges ranges;
  for (size_t i = 0; i < placement.groups.size(); ++i) {
    if (!std::holds_alternative<FromData>(placement.groups[i].rule)) continue;
    Range range;
    for (const ValueId id : placement.groups[i].members) {
      if (graph.is_constant(id)) range.include(range_of(graph.value(id).constant->as<float>()));
    }
    ranges[i] = range;
  }
  return ranges;
}

}  // namespace octet
