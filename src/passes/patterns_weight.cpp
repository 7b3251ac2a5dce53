#include <algorithm>
#include <optional>

#include "passes/broadcast.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace octet {
namespace {

using Axes = std::vector<int64_t>;

/// The factor that the match multiplies (`s`) or divides (`d`) by, as it is broadcast to `shape`.
std::optional<std::vector<float>> factor(const Match& match, const Shape& shape) {
  const bool divides = match.has("d");
  auto found = broadcast_to(*match.constant(divides ? "d" : "s"), shape);
  if (!found || !divides) return found;
  if (std::ranges::contains(*found, 0.0F)) return std::nullopt;
  for (float& number : *found) number = 1 / number;
  return found;
}

/// Multiplies the constant by one number per entry of its last dimension.
bool scale_last(Match& match, std::string_view name, const std::vector<float>& factors) {
  const Tensor* old = match.constant(name);
  if (old->dtype != DType::Float32 || old->shape.empty() ||
      old->shape.back() != static_cast<int64_t>(factors.size())) {
    return false;
  }
  Tensor scaled = *old;
  const auto values = scaled.as<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= factors[i % factors.size()];
  match.set(name, std::move(scaled));
  return true;
}

/// w := s w.
bool scale_weight(Match& match) {
  const auto number = factor(match, {});
  const Tensor* weight = match.constant("w");
  if (!number || weight->shape.empty() || weight->shape.back() < 1) return false;
  return scale_last(match, "w",
                    std::vector(static_cast<size_t>(weight->shape.back()), number->front()));
}

/// The factor as one number per column of the weight: what it is along the last dimension of the
/// product, which `perm` may have put elsewhere.
std::optional<std::vector<float>> per_column(const Match& match, const Axes* perm) {
  const Shape* result = match.result_shape();
  const Shape* from = match.shape("x");
  const Tensor* weight = match.constant("w");
  if (!result || !from || from->size() < 2 || weight->shape.size() != 2 ||
      result->size() != from->size()) {
    return std::nullopt;
  }
  Shape layout(result->size(), 1);
  const auto last = static_cast<int64_t>(result->size()) - 1;
  const auto at = perm ? std::ranges::find(*perm, last) - perm->begin() : last;
  layout.at(static_cast<size_t>(at)) = weight->shape.back();
  return factor(match, layout);
}

bool scale_columns(Match& match, const Axes* perm) {
  const auto factors = per_column(match, perm);
  if (!factors || !scale_last(match, "w", *factors)) return false;
  if (!match.has("b")) return true;
  const auto bias = broadcast_to(*match.constant("b"), {static_cast<int64_t>(factors->size())});
  if (!bias) return false;
  match.set("b", Tensor::of<float>({static_cast<int64_t>(bias->size())}, *bias));
  return scale_last(match, "b", *factors);
}

bool scale_product(Match& match) { return scale_columns(match, nullptr); }
bool scale_transposed(Match& match) {
  return scale_columns(match, &std::get<Axes>(match.attribute("perm")));
}

std::string scaled(const std::string& what, const std::string& factor) {
  return "Mul(" + what + ", ?s:" + factor + ") | Div(" + what + ", ?d:" + factor + ")";
}

std::vector<Rule> scale_rules() {
  const std::string x = scaled("?x", "number");
  const std::string product = "MatMul(?x, ?w:constant)";
  const std::string sum = "Add(" + product + ", ?b:constant)";
  const std::string turned = "Transpose{perm=@perm}(" + sum + ")";
  return {
      {"MatMul(" + x + ", ?w:constant)", "MatMul(?x, ?w)", scale_weight},
      {"Gemm{**a}(" + x + ", ?w:constant, ?c:optional)", "Gemm{**a}(?x, ?w, ?c)", scale_weight},
      // Zeros around the image stay zeros.
      {"Conv{**a}(" + x + ", ?w:constant, ?c:optional)", "Conv{**a}(?x, ?w, ?c)", scale_weight},
      {scaled(product, "constant"), "MatMul(?x, ?w)", scale_product},
      {scaled(sum, "constant"), "Add(MatMul(?x, ?w), ?b)", scale_product},
      {scaled(turned, "constant"), "Transpose{perm=@perm}(Add(MatMul(?x, ?w), ?b))",
       scale_transposed},
  };
}

}  // namespace

size_t fold_scales(Graph& graph) {
  static const Rewriter kScales(scale_rules());
  return kScales(graph);
}

}  // namespace octet
