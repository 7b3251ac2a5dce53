#include "passes/parts.h"

#include <format>

namespace octet {

ValueId Parts::op(std::string op, std::string_view part, std::vector<ValueId> inputs,
                  std::map<std::string, Attribute> attributes) {
  const ValueId made = graph_.add_op(std::move(op), std::format("{}/{}", name_, part),
                                     std::move(inputs), std::move(attributes));
  // A part that there is twice: values are told apart, and so are nodes.
  graph_.node(graph_.order().back()).name = graph_.value(made).name;
  return made;
}

ValueId Parts::constant(std::string_view part, Tensor tensor) {
  const ValueId made = parameter(part, std::move(tensor));
  graph_.value(made).fixed = true;
  return made;
}

ValueId Parts::parameter(std::string_view part, Tensor tensor) {
  return graph_.add_constant(std::format("{}/{}", name_, part), std::move(tensor));
}

void Parts::finish() {
  const NodeId last = graph_.order().back();
  graph_.node(last).outputs = {graph_.node(replaced_).outputs[0]};
  graph_.splice(replaced_, count_);
}

}  // namespace octet
