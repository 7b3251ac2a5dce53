#include "passes/match.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/fail.h"

namespace octet {
namespace {

/// What the name is bound to last; nullptr when nothing is.
template <class T>
const T* bound(const std::vector<std::pair<std::string_view, T>>& bindings, std::string_view name) {
  for (auto it = bindings.rbegin(); it != bindings.rend(); ++it) {
    if (it->first == name) return &it->second;
  }
  return nullptr;
}

[[noreturn]] void fail_unbound(std::string_view name) {
  fail(Code::Usage, "a rule reads the variable '{}', which its pattern does not bind", name);
}

}  // namespace

bool Match::has(std::string_view name) const { return bound(values_, name) != nullptr; }
ValueId Match::value(std::string_view name) const {
  const ValueId* found = bound(values_, name);
  if (!found) fail_unbound(name);
  return *found;
}
const Tensor* Match::constant(std::string_view name) const {
  if (const Tensor* made = bound(made_, name)) return made;
  const ValueId id = value(name);
  return graph_.is_constant(id) ? &*graph_.value(id).constant : nullptr;
}
std::span<const float> Match::floats(std::string_view name) const {
  const Tensor* tensor = constant(name);
  if (!tensor || tensor->dtype != DType::Float32) return {};
  return tensor->as<float>();
}
float Match::number(std::string_view name) const {
  const auto values = floats(name);
  if (values.size() != 1) fail(Code::Usage, "a rule reads '{}', which is no number", name);
  return values[0];
}
std::vector<int64_t> Match::integers(std::string_view name) const {
  const Tensor* tensor = constant(name);
  if (!tensor || tensor->dtype != DType::Int64) return {};
  const auto values = tensor->as<int64_t>();
  return {values.begin(), values.end()};
}
const Shape* Match::shape(std::string_view name) const {
  const ValueId id = value(name);
  return id != kAbsent && graph_.value(id).shape_known ? &graph_.value(id).shape : nullptr;
}
const Shape* Match::result_shape() const {
  const Value& result = graph_.value(root().outputs[0]);
  return result.shape_known ? &result.shape : nullptr;
}
const Attribute& Match::attribute(std::string_view name) const {
  if (const Attribute* made = bound(made_attributes_, name)) return *made;
  const Attribute* found = bound(attributes_, name);
  if (!found) fail_unbound(name);
  return *found;
}
Attributes& Match::attributes(std::string_view name) {
  const auto it =
      std::ranges::find(all_attributes_, name, &std::pair<std::string_view, Attributes>::first);
  if (it == all_attributes_.end()) fail_unbound(name);
  return it->second;
}
// What is set last counts.
void Match::set(std::string_view name, Tensor constant) {
  std::erase_if(made_, [&](const auto& binding) { return binding.first == name; });
  made_.emplace_back(name, std::move(constant));
}
void Match::set(std::string_view name, Attribute attribute) {
  std::erase_if(made_attributes_, [&](const auto& binding) { return binding.first == name; });
  made_attributes_.emplace_back(name, std::move(attribute));
}

/// What is left to be found: `pattern` at `value`, an operand of `reader`, then `rest`.
struct Matcher::Goal {
  const Pattern* pattern;
  ValueId value;
  const Node* reader;
  const Goal* rest;
};

namespace {

/// What ONNX takes for an attribute that a node does not have.
std::optional<Attribute> default_of(std::string_view op, std::string_view attribute) {
  struct Default {
    std::string_view op;  ///< empty: of any
    std::string_view attribute;
    Attribute value;
  };
  static const std::array kDefaults{
      Default{"", "keepdims", int64_t{1}},
      Default{"", "noop_with_empty_axes", int64_t{0}},
      Default{"HardSigmoid", "alpha", 0.2F},
      Default{"HardSigmoid", "beta", 0.5F},
      Default{"Gemm", "alpha", 1.0F},
      Default{"Gemm", "beta", 1.0F},
      Default{"Gemm", "transA", int64_t{0}},
      Default{"Gemm", "transB", int64_t{0}},
      Default{"", "epsilon", 1e-5F},
      Default{"", "axis", int64_t{-1}},
      Default{"", "auto_pad", "NOTSET"},
      Default{"", "mode", "constant"},
      Default{"", "count_include_pad", int64_t{0}},
      Default{"", "ceil_mode", int64_t{0}},
      Default{"", "allowzero", int64_t{0}},
      Default{"", "approximate", "none"},
      Default{"", "group", int64_t{1}},
  };
  for (const Default& row : kDefaults) {
    if (row.attribute == attribute && (row.op.empty() || row.op == op)) return row.value;
  }
  return std::nullopt;
}

bool near(double given, double wanted) {
  if (std::isinf(wanted)) {  // exporters also write the largest float
    return given * std::copysign(1.0, wanted) >= std::numeric_limits<float>::max();
  }
  return std::abs(given - wanted) <= 1e-5 * std::abs(wanted);
}

std::optional<double> as_number(const Attribute& attribute) {
  if (const auto* whole = std::get_if<int64_t>(&attribute)) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<float>(&attribute)) return *number;
  return std::nullopt;
}

bool same(const Tensor& a, const Tensor& b) {
  return a.dtype == b.dtype && a.shape == b.shape && a.bytes == b.bytes;
}

bool same(const Attribute& a, const Attribute& b) {
  const auto x = as_number(a);
  const auto y = as_number(b);
  if (x && y) return near(*x, *y);
  if (std::holds_alternative<Tensor>(a) || a.index() != b.index()) return false;
  if (const auto* text = std::get_if<std::string>(&a)) return *text == std::get<std::string>(b);
  const auto* list = std::get_if<std::vector<int64_t>>(&a);
  return list && *list == std::get<std::vector<int64_t>>(b);
}

/// The one number that a constant holds; exponents may be integers.
std::optional<double> number_of(const Tensor& tensor, const Node& reader) {
  if (tensor.bytes.size() != size_of(tensor.dtype)) return std::nullopt;
  if (tensor.dtype == DType::Float32) return tensor.as<float>()[0];
  if (reader.op != "Pow") return std::nullopt;
  if (tensor.dtype == DType::Int64) return static_cast<double>(tensor.as<int64_t>()[0]);
  if (tensor.dtype == DType::Int32) return tensor.as<int32_t>()[0];
  return std::nullopt;
}

}  // namespace

/// Whether the goal's value is one number that only scales or moves: it does not add dimensions to
/// the other operands.
bool Matcher::is_number(const Goal& goal) const {
  if (!goal.reader || !graph_.is_constant(goal.value)) return false;
  const Tensor& tensor = *graph_.value(goal.value).constant;
  const auto held = number_of(tensor, *goal.reader);
  if (!held) return false;
  if (goal.pattern->kind == Pattern::Kind::Number && tensor.dtype != DType::Float32) return false;
  if (goal.pattern->kind == Pattern::Kind::Literal && !near(*held, goal.pattern->literal)) {
    return false;
  }
  return tensor.shape.empty() || std::ranges::any_of(goal.reader->inputs, [&](ValueId other) {
           return other != kAbsent && other != goal.value && graph_.value(other).shape_known &&
                  graph_.value(other).shape.size() >= tensor.shape.size();
         });
}

bool Matcher::bind(const Pattern& pattern, ValueId value, Match& match) const {
  if (pattern.name.empty()) return true;
  const ValueId* known = bound(match.values_, pattern.name);
  if (!known) {
    match.values_.emplace_back(pattern.name, value);
    return true;
  }
  return *known == value || (graph_.is_constant(*known) && graph_.is_constant(value) &&
                             same(*graph_.value(*known).constant, *graph_.value(value).constant));
}

bool Matcher::bind_attributes(const Pattern& pattern, const Node& node, Match& match) const {
  for (const AttributePattern& wanted : pattern.attributes) {
    if (wanted.name == "**") {
      match.all_attributes_.emplace_back(wanted.variable, node.attributes);
      continue;
    }
    const auto it = node.attributes.find(wanted.name);
    const auto given =
        it == node.attributes.end() ? default_of(node.op, wanted.name) : std::optional(it->second);
    if (!given) return false;
    if (wanted.value) {
      if (!same(*given, *wanted.value)) return false;
    } else if (const Attribute* known = bound(match.attributes_, wanted.variable)) {
      if (!same(*known, *given)) return false;
    } else {
      match.attributes_.emplace_back(wanted.variable, *given);
    }
  }
  return true;
}

bool Matcher::find(const Pattern& pattern, NodeId root, Match& match) const {
  const Goal goal{&pattern, graph_.node(root).outputs.at(0), nullptr, nullptr};
  return goal.value != kAbsent && solve(&goal, match);
}

bool Matcher::solve(const Goal* goals, Match& match) const {
  if (!goals) return accept(match);
  const Goal& goal = *goals;
  const Pattern& pattern = *goal.pattern;
  const size_t values = match.values_.size();
  bool found = false;
  switch (pattern.kind) {
    case Pattern::Kind::OneOf:
      return std::ranges::any_of(pattern.operands, [&](const Pattern& way) {
        const Goal next{&way, goal.value, goal.reader, goal.rest};
        return solve(&next, match);
      });
    case Pattern::Kind::Operator: return solve_operator(goal, match);
    case Pattern::Kind::Absent: return goal.value == kAbsent && solve(goal.rest, match);
    case Pattern::Kind::Literal: return is_number(goal) && solve(goal.rest, match);
    case Pattern::Kind::Optional: found = true; break;
    case Pattern::Kind::Number: found = is_number(goal); break;
    case Pattern::Kind::Constant: found = graph_.is_constant(goal.value); break;
    case Pattern::Kind::Any: found = goal.value != kAbsent; break;
  }
  if (!found || !bind(pattern, goal.value, match)) return false;
  if (pattern.operands.empty()) {
    found = solve(goal.rest, match);
  } else {
    const Goal next{pattern.operands.data(), goal.value, goal.reader, goal.rest};
    found = solve(&next, match);
  }
  if (!found) match.values_.resize(values);
  return found;
}

bool Matcher::solve_operator(const Goal& goal, Match& match) const {
  const NodeId id = links_.producer(goal.value);
  if (id == kNoNode) return false;
  const Node& node = graph_.node(id);
  const Pattern& pattern = *goal.pattern;
  // Operators with several outputs (Split, MaxPool's indices) stay what they are.
  if (node.op != pattern.name || node.outputs.size() != 1) return false;
  const size_t attributes = match.attributes_.size();
  const size_t all_attributes = match.all_attributes_.size();
  const bool owned = !pattern.shared && id != match.root_;
  match.nodes_.push_back(id);
  if (owned) match.owned_.push_back(id);
  if (bind_attributes(pattern, node, match) && solve_operands(goal, node, match)) return true;
  match.nodes_.pop_back();
  if (owned) match.owned_.pop_back();
  match.attributes_.resize(attributes);
  match.all_attributes_.resize(all_attributes);
  return false;
}

bool Matcher::solve_operands(const Goal& goal, const Node& node, Match& match) const {
  const std::vector<Pattern>& wanted = goal.pattern->operands;
  const size_t count = std::max(wanted.size(), node.inputs.size());
  static const Pattern kNothing{.kind = Pattern::Kind::Absent};
  const auto in_order = [&](bool swapped) {
    std::vector<Goal> goals(count);
    for (size_t i = 0; i < count; ++i) {
      const Pattern* pattern = i < wanted.size() ? &wanted[i] : &kNothing;
      const size_t at = swapped ? 1 - i : i;
      goals[i] = {pattern, node.input(at), &node, i + 1 < count ? &goals[i + 1] : goal.rest};
    }
    return solve(count > 0 ? goals.data() : goal.rest, match);
  };
  if (in_order(false)) return true;
  return count == 2 && is_commutative(node.op) && in_order(true);
}

/// Everything is found; the nodes that will leave may be read by one another only.
bool Matcher::accept(Match& match) const {
  for (const NodeId id : match.owned_) {
    const ValueId out = graph_.node(id).outputs[0];
    const bool kept = std::ranges::any_of(match.values_, [&](const auto& binding) {
      return binding.second == out && std::ranges::contains(kept_, binding.first);
    });
    if (kept) continue;
    if (graph_.is_output(out)) return false;
    for (const NodeId reader : links_.readers(out)) {
      if (!std::ranges::contains(match.nodes_, reader)) return false;
    }
  }
  match.made_.clear();
  match.made_attributes_.clear();
  return !condition_ || condition_(match);
}

}  // namespace octet
