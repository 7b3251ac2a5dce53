#include "graph/quant_table.h"

#include "base/fail.h"

namespace octet {

const QuantParams* QuantTable::find(ValueId value) const {
  const auto it = values_.find(value);
  return it == values_.end() ? nullptr : &it->second;
}

const QuantParams& QuantTable::at(ValueId value, const Graph& graph) const {
  if (const QuantParams* params = find(value)) return *params;
  fail(Code::Unsupported, "the value '{}' has no quantization parameters", graph.value(value).name);
}

}  // namespace octet
