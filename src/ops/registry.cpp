#include <ATen/core/Tensor.h>

#include <algorithm>
#include <map>

#include "base/fail.h"
#include "base/text.h"
#include "ops/families.h"
#include "ops/foreign.h"

namespace octet {

const at::Tensor& OpCall::in(size_t index) const {
  static const at::Tensor absent;
  return index < inputs.size() ? inputs[index] : absent;
}
bool OpCall::has(size_t index) const { return in(index).defined(); }

const std::vector<OpDef>& all_ops() {
  static const std::vector<OpDef> ops = [] {
    std::vector<OpDef> all;
    for (auto family :
         {activation_ops, along_axis_ops, attention_ops, bitwise_ops,   conv_ops,   elementwise_ops,
          gather_ops,     layer_norm_ops, layout_ops,    logic_ops,     matmul_ops, max_pool_ops,
          norm_ops,       pad_ops,        pool_ops,      reduce_ops,    resize_ops, sample_ops,
          shape_ops,      slice_ops,      sort_ops,      unary_math_ops}) {
      std::ranges::move(family(), std::back_inserter(all));
    }
    return all;
  }();
  return ops;
}

const OpDef* find_op(std::string_view name) {
  static const std::map<std::string_view, const OpDef*> by_name = [] {
    std::map<std::string_view, const OpDef*> found;
    for (const OpDef& op : all_ops()) found.emplace(op.name.value, &op);
    return found;
  }();
  const auto it = by_name.find(name);
  return it == by_name.end() ? nullptr : it->second;
}

namespace {

RunFn foreign_run = nullptr;

/// The row of all operators that have none.
const OpDef& foreign_row() {
  static const OpDef row{
      .name = "",
      .attributes = std::vector<std::string_view>{},
      .data_inputs = kAllInputs,
      .run = [](const OpCall& call) { return foreign_run(call); },
      .quant = FloatOnly{"octet has no kernel of it and lets ONNX Runtime run it"},
      .statistics = Statistics{}};
  return row;
}

}  // namespace

void set_foreign(RunFn run) { foreign_run = run; }
bool is_foreign(const Node& node) { return foreign_run && !find_op(node.op); }

const OpDef& op_of(const Node& node) {
  if (is_foreign(node)) return foreign_row();
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
