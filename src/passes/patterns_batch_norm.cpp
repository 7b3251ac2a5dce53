#include <algorithm>
#include <cmath>
#include <optional>

#include "passes/affine.h"
#include "passes/broadcast.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace octet {
namespace {

/// What the BatchNormalization of the match does to each channel.
std::optional<Affine> affine_of(const Match& match) {
  const auto gamma = match.floats("gamma");
  const auto beta = match.floats("beta");
  const auto mean = match.floats("mean");
  const auto variance = match.floats("variance");
  if (gamma.empty() || beta.size() != gamma.size() || mean.size() != gamma.size() ||
      variance.size() != gamma.size()) {
    return std::nullopt;
  }
  const double epsilon = std::get<float>(match.attribute("epsilon"));
  Affine affine;
  for (size_t c = 0; c < gamma.size(); ++c) {
    const double scale = gamma[c] / std::sqrt(variance[c] + epsilon);
    affine.scale.push_back(static_cast<float>(scale));
    affine.shift.push_back(static_cast<float>(beta[c] - mean[c] * scale));
  }
  return affine;
}

/// Whether the convolution sees nothing but the image.
bool unpadded(const Node& node) {
  const std::string automatic = node.text("auto_pad", "NOTSET");
  return automatic == "VALID" ||
         (automatic == "NOTSET" &&
          std::ranges::all_of(node.integers("pads"), [](int64_t pad) { return pad == 0; }));
}

/// Conv(scale x + shift): the weights take the scale, and the bias the sum of weights times shift.
/// Zeros around the image are no zeros before the normalization; they only fit without a shift.
bool fold_before_conv(Match& match) {
  const auto affine = affine_of(match);
  const Tensor* old = match.constant("w");
  if (!affine || old->dtype != DType::Float32 || old->shape.size() < 3) return false;
  const bool moves = std::ranges::any_of(affine->shift, [](float s) { return s != 0; });
  if (moves && !unpadded(match.root())) return false;
  const auto inputs = static_cast<size_t>(old->shape[1]);
  const auto outputs = static_cast<size_t>(old->shape[0]);
  const auto groups = static_cast<size_t>(match.root().integer("group", 1));
  if (affine->scale.size() != inputs * groups || outputs % groups != 0) return false;
  const bool biased = match.value("b") != kAbsent;
  if (biased && match.floats("b").size() != outputs) return false;

  Tensor weight = *old;
  const auto values = weight.as<float>();
  const size_t window = values.size() / (outputs * inputs);
  Tensor bias(DType::Float32, {old->shape[0]});
  for (size_t o = 0; o < outputs; ++o) {
    double sum = biased ? match.floats("b")[o] : 0;
    for (size_t i = 0; i < inputs * window; ++i) {
      const size_t channel = o / (outputs / groups) * inputs + i / window;
      float& value = values[o * inputs * window + i];
      sum += static_cast<double>(value) * affine->shift[channel];
      value *= affine->scale[channel];
    }
    bias.as<float>()[o] = static_cast<float>(sum);
  }
  match.set("w", std::move(weight));
  match.set("b", std::move(bias));
  return true;
}

/// (scale x + shift) w + c, w being [K, N], or [N, K] with transB.
bool fold_before_product(Match& match) {
  const auto affine = affine_of(match);
  const Tensor* old = match.constant("w");
  const Shape* shape = match.shape("x");
  const bool turned = match.root().integer("transB", 0) != 0;
  if (!affine || !shape || shape->size() != 2 || old->dtype != DType::Float32 ||
      old->shape.size() != 2) {
    return false;
  }
  const auto rows = static_cast<size_t>(old->shape[turned ? 1 : 0]);
  const auto columns = static_cast<size_t>(old->shape[turned ? 0 : 1]);
  std::optional<std::vector<float>> bias(std::vector<float>(columns, 0));
  if (match.has("b") && match.value("b") != kAbsent) {
    if (!match.constant("b")) return false;
    bias = broadcast_to(*match.constant("b"), {static_cast<int64_t>(columns)});
  }
  if (rows != affine->scale.size() || !bias) return false;
  Tensor weight = *old;
  const auto values = weight.as<float>();
  for (size_t n = 0; n < columns; ++n) {
    double sum = (*bias)[n];
    for (size_t k = 0; k < rows; ++k) {
      float& value = values[turned ? n * rows + k : k * columns + n];
      sum += static_cast<double>(value) * affine->shift[k];
      value *= affine->scale[k];
    }
    (*bias)[n] = static_cast<float>(sum);
  }
  match.set("w", std::move(weight));
  match.set("b", Tensor::of<float>({static_cast<int64_t>(columns)}, *bias));
  return true;
}

/// scale (x w + c) + shift of rows.
bool fold_after_product(Match& match) {
  const auto affine = affine_of(match);
  const Tensor* old = match.constant("w");
  const Shape* shape = match.shape("x");
  if (!affine || !shape || shape->size() != 2 || old->dtype != DType::Float32 ||
      old->shape.size() != 2) {
    return false;
  }
  const size_t columns = affine->scale.size();
  if (static_cast<size_t>(old->shape[1]) != columns) return false;
  std::optional<std::vector<float>> bias(std::vector<float>(columns, 0));
  if (match.has("b")) bias = broadcast_to(*match.constant("b"), {old->shape[1]});
  if (!bias) return false;
  Tensor weight = *old;
  const auto values = weight.as<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= affine->scale[i % columns];
  for (size_t n = 0; n < columns; ++n) {
    (*bias)[n] = (*bias)[n] * affine->scale[n] + affine->shift[n];
  }
  match.set("w", std::move(weight));
  match.set("b", Tensor::of<float>({old->shape[1]}, *bias));
  return true;
}

std::string normalized(const std::string& what) {
  return "BatchNormalization{epsilon=@epsilon}(" + what +
         ", ?gamma:constant, ?beta:constant, ?mean:constant, ?variance:constant)";
}

std::vector<Rule> after_rules() {
  const std::string product = "MatMul(?x, ?w:constant)";
  return {
      {normalized(product), "Gemm(?x, ?w, ?b)", fold_after_product},
      {normalized("Add(" + product + ", ?b:constant)"), "Gemm(?x, ?w, ?b)", fold_after_product},
  };
}

std::vector<Rule> before_rules() {
  const std::string x = normalized("?x");
  return {
      {"Conv{**a}(" + x + ", ?w:constant, ?b:optional)", "Conv{**a}(?x, ?w, ?b)", fold_before_conv},
      {"MatMul(" + x + ", ?w:constant)", "Gemm(?x, ?w, ?b)", fold_before_product},
      {"Gemm{**a, alpha=1, beta=1, transA=0}(" + x + ", ?w:constant, ?b:optional)",
       "Gemm{**a}(?x, ?w, ?b)", fold_before_product},
  };
}

}  // namespace

size_t fold_normalization_into_next(Graph& graph) {
  static const Rewriter kAfter(after_rules());
  static const Rewriter kBefore(before_rules());
  const size_t after = kAfter(graph);
  return after + kBefore(graph);
}

}  // namespace octet
