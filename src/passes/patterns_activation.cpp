#include <format>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace octet {
namespace {

/// Writes both bounds as ONNX wants them: scalars.
bool scalar_bounds(Match& match) {
  for (const std::string_view bound : {"low", "high"}) {
    if (match.has(bound) && match.value(bound) != kAbsent) {
      match.set(bound, Tensor::scalar(match.number(bound)));
    }
  }
  return true;
}

bool rising_bounds(Match& match) {
  return match.number("low") <= match.number("high") && scalar_bounds(match);
}

bool bound_above_zero(Match& match) { return match.number("high") >= 0 && scalar_bounds(match); }

std::vector<Rule> clip_rules() {
  return {
      {"Max(?x, 0)", "Relu(?x)"},
      {"Clip(?x, 0, -) | Clip(?x, 0, inf)", "Relu(?x)"},
      {"Clip(?x, -inf, inf) | Clip(?x, -, inf) | Clip(?x, -inf, -) | Clip(?x, -, -)", "?x"},
      {"Min(Relu(?x), ?high:number) | Clip(Relu(?x), -, ?high:number)"
       " | Clip(Relu(?x), 0, ?high:number) | Clip(Relu(?x), -inf, ?high:number)",
       "Clip(?x, 0, ?high)", bound_above_zero},
      {"Relu(Min(?x, ?high:number)) | Relu(Clip(?x, -, ?high:number))", "Clip(?x, 0, ?high)",
       bound_above_zero},
      {"Min(Max(?x, ?low:number), ?high:number) | Max(Min(?x, ?high:number), ?low:number)",
       "Clip(?x, ?low, ?high)", rising_bounds},
      {"Relu(&Relu(?x))", "Relu(?x)"},
  };
}

std::vector<Rule> hard_rules() {
  // Also 0.16666667 * clip(x + 3, 0, 6), for a product with a number matches its division.
  const std::string relu6 = "Clip(Add(?x, 3), 0, 6)";
  return {
      {std::format("Mul(?x, {}, 1/6)", relu6), "HardSwish(?x)"},
      {std::format("Mul({}, 1/6)", relu6), "HardSigmoid{alpha=1/6, beta=0.5}(?x)"},
      {"Clip(Add(Mul(?x, 1/6), 0.5), 0, 1)", "HardSigmoid{alpha=1/6, beta=0.5}(?x)"},
      {"Mul(?x, HardSigmoid{alpha=1/6, beta=0.5}(?x))", "HardSwish(?x)"},
  };
}

// Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016); Misra, "Mish" (2019).
std::vector<Rule> smooth_rules() {
  // sqrt(2 / pi) (x + 0.044715 x^3), also with x taken out.
  const std::string cubic =
      "Mul(Add(?x, Mul(Pow(?x, 3), 0.044715) | Mul(?x, ?x, ?x, 0.044715)), 0.7978845608)"
      " | Mul(?x, Add(Mul(?x, ?x, 0.044715), 1), 0.7978845608)";
  return {
      {"Mul(?x, Add(Erf(Mul(?x, 0.7071067812)), 1), 0.5)", "Gelu{approximate='none'}(?x)"},
      {std::format("Mul(?x, Add(Tanh({}), 1), 0.5)", cubic), "Gelu{approximate='tanh'}(?x)"},
      {"Mul(?x, Tanh(Softplus(?x)))", "Mish(?x)"},
  };
}

}  // namespace

size_t fuse_activations(Graph& graph) {
  static const Rewriter kClips(clip_rules());
  static const Rewriter kHard(hard_rules());
  static const Rewriter kSmooth(smooth_rules());
  const size_t clips = kClips(graph);
  const size_t hard = kHard(graph);
  return clips + hard + kSmooth(graph);
}

}  // namespace octet
