#include <algorithm>

#include "passes/broadcast.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace octet {
namespace {

bool is_float(Match& match) {
  return match.graph().value(match.value("x")).dtype == DType::Float32;
}

/// Writes the one axis of a reduction.
bool one_axis(Match& match) {
  const auto axes = match.integers("axes");
  if (axes.size() == 1) match.set("axis", axes[0]);
  return axes.size() == 1;
}

/// Softmax forgets what is the same along its axis.
bool reduced_along(Match& match) {
  const Shape* shape = match.shape("x");
  if (!shape) return false;
  const auto axis = sorted_axes({std::get<int64_t>(match.attribute("axis"))}, shape->size());
  return std::ranges::contains(sorted_axes(match.integers("axes"), shape->size()), axis[0]);
}

std::vector<Rule> power_rules() {
  return {
      {"Pow(?x, 2)", "Mul(?x, ?x)", is_float},
      {"Pow(?x, 0.5)", "Sqrt(?x)", is_float},
      {"Pow(?x, -1)", "Reciprocal(?x)", is_float},
      {"Pow(?x, -0.5)", "Reciprocal(Sqrt(?x))", is_float},
      {"Pow(?x, 1)", "?x"},
      {"Div(1, ?x)", "Reciprocal(?x)"},
      {"Mul(?x, 1)", "?x"},
      {"Add(?x, 0)", "?x"},
      {"Neg(&Neg(?x))", "?x"},
      {"Sum(?x, ?y)", "Add(?x, ?y)"},
      {"Sum(?x) | Mean(?x) | Max(?x) | Min(?x) | Concat(?x)", "?x"},
  };
}

std::vector<Rule> exponential_rules() {
  const std::string exp_of_sum = "ReduceSum{keepdims=1}(?e, ?axes:constant)";
  return {
      {"Log(Add(Exp(?x), 1))", "Softplus(?x)"},
      {"Reciprocal(Add(Exp(Neg(?x)), 1))", "Sigmoid(?x)"},
      {"Div(?x, Add(Exp(Neg(?x)), 1))", "Mul(?x, Sigmoid(?x))"},
      {"Div(?e=Exp(?x), " + exp_of_sum + ") | Mul(?e=Exp(?x), Reciprocal(" + exp_of_sum + "))",
       "Softmax{axis=@axis}(?x)", one_axis},
      {"Softmax{axis=@axis}(Sub(?x, ReduceMax{keepdims=1}(?x, ?axes:constant)))",
       "Softmax{axis=@axis}(?x)", reduced_along},
  };
}

}  // namespace

size_t simplify_arithmetic(Graph& graph) {
  static const Rewriter kPowers(power_rules());
  static const Rewriter kExponentials(exponential_rules());
  const size_t powers = kPowers(graph);
  return powers + kExponentials(graph);
}

}  // namespace octet
