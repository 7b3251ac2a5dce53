#include "graph/graph.h"

#include <algorithm>

#include "base/fail.h"

namespace octet {
namespace {

template <class T>
const T* get(const Node& node, std::string_view attribute) {
  const auto it = node.attributes.find(std::string(attribute));
  if (it == node.attributes.end()) return nullptr;
  if (const T* held = std::get_if<T>(&it->second)) return held;
  fail(Code::Model, "{}: the attribute '{}' has an unexpected type", describe(node), attribute);
}

}  // namespace

bool Node::has(std::string_view attribute) const {
  return attributes.contains(std::string(attribute));
}
int64_t Node::integer(std::string_view attribute, int64_t fallback) const {
  const auto* held = get<int64_t>(*this, attribute);
  return held ? *held : fallback;
}
float Node::number(std::string_view attribute, float fallback) const {
  const auto* held = get<float>(*this, attribute);
  return held ? *held : fallback;
}
std::string Node::text(std::string_view attribute, std::string_view fallback) const {
  const auto* held = get<std::string>(*this, attribute);
  return held ? *held : std::string(fallback);
}
std::vector<int64_t> Node::integers(std::string_view attribute,
                                    std::vector<int64_t> fallback) const {
  const auto* held = get<std::vector<int64_t>>(*this, attribute);
  return held ? *held : std::move(fallback);
}

std::string describe(const Node& node) {
  return std::format("node \"{}\" ({})", node.name, node.op);
}

std::string Graph::unique(std::string wanted) const {
  if (wanted.empty()) wanted = "value";
  if (!names_.contains(wanted)) return wanted;
  for (int n = 1;; ++n) {
    std::string candidate = std::format("{}_{}", wanted, n);
    if (!names_.contains(candidate)) return candidate;
  }
}

ValueId Graph::push(Value value) {
  value.name = unique(std::move(value.name));
  const auto id = static_cast<ValueId>(values_.size());
  names_.emplace(value.name, id);
  values_.push_back(std::move(value));
  return id;
}

ValueId Graph::add_input(std::string value_name, DType dtype, Shape shape) {
  const ValueId id = push({std::move(value_name), dtype, std::move(shape), true, std::nullopt});
  inputs_.push_back(id);
  return id;
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  return push({std::move(value_name), tensor.dtype, tensor.shape, true, std::move(tensor)});
}

ValueId Graph::add_value(std::string value_name) {
  return push({std::move(value_name), DType::Float32, {}, false, std::nullopt});
}

NodeId Graph::add_node(Node node) {
  const auto id = static_cast<NodeId>(nodes_.size());
  if (node.name.empty()) node.name = std::format("{}_{}", node.op, id);
  nodes_.push_back(std::move(node));
  order_.push_back(id);
  return id;
}

ValueId Graph::add_op(std::string op, std::string node_name, std::vector<ValueId> inputs,
                      std::map<std::string, Attribute> attributes) {
  const ValueId out = add_value(node_name);
  add_node({std::move(node_name), std::move(op), std::move(inputs), {out}, std::move(attributes)});
  return out;
}

const Tensor* Graph::constant_input(const Node& node, size_t index) const {
  const ValueId id = node.input(index);
  return is_constant(id) ? &*value(id).constant : nullptr;
}

bool Graph::is_output(ValueId id) const { return std::ranges::contains(outputs_, id); }

std::optional<NodeId> Graph::producer(ValueId id) const {
  for (NodeId node_id : order_) {
    if (std::ranges::contains(node(node_id).outputs, id)) return node_id;
  }
  return std::nullopt;
}

std::vector<NodeId> Graph::users(ValueId id) const {
  std::vector<NodeId> found;
  for (NodeId node_id : order_) {
    if (std::ranges::contains(node(node_id).inputs, id)) found.push_back(node_id);
  }
  return found;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (NodeId id : order_) std::ranges::replace(node(id).inputs, from, to);
  std::ranges::replace(outputs_, from, to);
}

void Graph::splice(NodeId replaced, size_t count) {
  const auto at = std::ranges::find(order_, replaced);
  std::rotate(at, order_.begin() + static_cast<std::ptrdiff_t>(count), order_.end());
  std::erase(order_, replaced);
}

void Graph::remove(NodeId id) { std::erase(order_, id); }

void Graph::swap_names(ValueId a, ValueId b) {
  std::swap(value(a).name, value(b).name);
  names_[value(a).name] = a;
  names_[value(b).name] = b;
}

size_t Graph::remove_dead() {
  std::vector<bool> read(values_.size(), false);
  for (ValueId id : outputs_) read[static_cast<size_t>(id)] = true;
  std::vector<NodeId> live;
  for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
    const Node& candidate = node(*it);
    const bool used = std::ranges::any_of(candidate.outputs, [&](ValueId id) {
      return id != kAbsent && read[static_cast<size_t>(id)];
    });
    if (!used) continue;
    live.push_back(*it);
    for (ValueId id : candidate.inputs) {
      if (id != kAbsent) read[static_cast<size_t>(id)] = true;
    }
  }
  const size_t removed = order_.size() - live.size();
  std::ranges::reverse(live);
  order_ = std::move(live);
  return removed;
}

void Graph::sort() {
  std::vector<bool> made(values_.size(), false);
  for (ValueId id : inputs_) made[static_cast<size_t>(id)] = true;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].constant) made[i] = true;
  }
  const auto ready = [&](NodeId id) {
    return std::ranges::all_of(node(id).inputs, [&](ValueId in) {
      return in == kAbsent || made[static_cast<size_t>(in)];
    });
  };
  std::vector<NodeId> waiting = std::move(order_);
  order_.clear();
  while (!waiting.empty()) {
    std::vector<NodeId> rest;
    for (NodeId id : waiting) {
      if (!ready(id)) {
        rest.push_back(id);
        continue;
      }
      for (ValueId out : node(id).outputs) {
        if (out != kAbsent) made[static_cast<size_t>(out)] = true;
      }
      order_.push_back(id);
    }
    if (rest.size() == waiting.size()) {
      const Node& stuck = node(rest.front());
      for (ValueId in : stuck.inputs) {
        if (in != kAbsent && !made[static_cast<size_t>(in)]) {
          fail(Code::Model, "{}: its input '{}' is made by no node before it, or by a cycle",
               describe(stuck), value(in).name);
        }
      }
    }
    waiting = std::move(rest);
  }
}

std::optional<ValueId> Graph::find(std::string_view value_name) const {
  const auto it = names_.find(value_name);
  return it == names_.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace octet
