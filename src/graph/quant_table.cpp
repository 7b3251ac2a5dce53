#include "graph/quant_table.h"

#include "base/fail.h"

namespace octet {

std::string_view name_of(Origin origin) noexcept {
  switch (origin) {
    case Origin::Observed: return "observed";
    case Origin::Fixed: return "fixed";
    case Origin::Derived: return "derived";
  }
  return "?";
}

const QuantParams* QuantTable::find(ValueId value) const {
  const auto it = values_.find(value);
  return it == values_.end() ? nullptr : &it->second;
}

const QuantParams& QuantTable::at(ValueId value, const Graph& graph) const {
  if (const QuantParams* params = find(value)) return *params;
  fail(Code::Unsupported, "the value '{}' has no quantization parameters", graph.value(value).name);
}

}  // namespace octet
