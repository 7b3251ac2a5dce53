#include <ATen/core/Tensor.h>

#include <algorithm>

#include "base/fail.h"
#include "base/text.h"
#include "ops/families.h"

namespace octet {

const at::Tensor& OpCall::in(size_t index) const {
  static const at::Tensor absent;
  return index < inputs.size() ? inputs[index] : absent;
}
bool OpCall::has(size_t index) const { return in(index).defined(); }

const std::vector<OpDef>& all_ops() {
  static const std::vector<OpDef> ops = [] {
    std::vector<OpDef> all;
    for (auto family : {activation_ops, conv_ops, elementwise_ops, layout_ops, matmul_ops, norm_ops,
                        pool_ops, reduce_ops, shape_ops}) {
      std::ranges::move(family(), std::back_inserter(all));
    }
    return all;
  }();
  return ops;
}

const OpDef* find_op(std::string_view name) {
  const auto it =
      std::ranges::find_if(all_ops(), [&](const OpDef& op) { return op.name.value == name; });
  return it == all_ops().end() ? nullptr : &*it;
}

const OpDef& op_of(const Node& node) {
  const OpDef* op = find_op(node.op);
  if (!op) {
    fail(Code::Unsupported,
         "{}: this operator is not supported; 'octet inspect' names all such nodes",
         describe(node));
  }
  for (const auto& [name, attribute] : node.attributes) {
    if (!std::ranges::contains(op->attributes.value, name)) {
      fail(Code::Unsupported, "{}: its attribute '{}' is not supported", describe(node), name);
    }
  }
  return *op;
}

}  // namespace octet
