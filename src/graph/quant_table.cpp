#include "graph/quant_table.h"

#include <algorithm>

#include "base/fail.h"

namespace octet {

bool same_grid(const QuantParams& a, const QuantParams& b) {
  return a.scale == b.scale && a.zero_point == b.zero_point &&
         (a.scale.size() == 1 || a.axis == b.axis);
}

const QuantParams* QuantTable::find(ValueId value) const {
  const auto it = values_.find(value);
  return it == values_.end() ? nullptr : &it->second;
}

const Lookup* QuantTable::find_lookup(ValueId value) const {
  const auto it = lookups_.find(value);
  return it == lookups_.end() ? nullptr : &it->second;
}

bool QuantTable::looked_up(NodeId node) const {
  return std::ranges::any_of(
      lookups_, [&](const auto& entry) { return std::ranges::contains(entry.second.nodes, node); });
}

const QuantParams& QuantTable::at(ValueId value, const Graph& graph) const {
  if (const QuantParams* params = find(value)) return *params;
  fail(Code::Unsupported, "the value '{}' has no quantization parameters", graph.value(value).name);
}

}  // namespace octet
