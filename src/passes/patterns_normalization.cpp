#include <algorithm>
#include <format>
#include <functional>

#include "passes/broadcast.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace octet {
namespace {

Tensor filled(Shape shape, float number) {
  Tensor tensor(DType::Float32, std::move(shape));
  std::ranges::fill(tensor.as<float>(), number);
  return tensor;
}

/// Reduced over the last axes, whose sizes are known: writes `axis`, `epsilon` and a scale of ones.
bool over_last_axes(Match& match) {
  const Shape* shape = match.shape("x");
  if (!shape) return false;
  const auto axes = sorted_axes(match.integers("axes"), shape->size());
  const size_t first = shape->size() - axes.size();
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<int64_t>(first + i) || (*shape)[first + i] < 0) return false;
  }
  if (axes.empty()) return false;
  match.set("axis", -static_cast<int64_t>(axes.size()));
  match.set("epsilon", match.number("epsilon"));
  match.set("scale",
            filled({shape->end() - static_cast<std::ptrdiff_t>(axes.size()), shape->end()}, 1));
  return true;
}

/// Combines the constant `name` with the operand `by`, as it is broadcast to `over`.
template <class Operation>
bool combine(Match& match, std::string_view name, std::string_view by, const Shape& over,
             Operation operation) {
  const Tensor* own = match.constant(name);
  const auto other = broadcast_to(*match.constant(by), over);
  if (!own || !other || own->dtype != DType::Float32) return false;
  Tensor combined = *own;
  std::ranges::transform(combined.as<float>(), *other, combined.as<float>().begin(), operation);
  match.set(name, std::move(combined));
  return true;
}

/// The constant adds no dimension to what is normalized.
bool keeps_rank(const Match& match, std::string_view constant) {
  const Shape* shape = match.shape("x");
  return shape && match.constant(constant)->shape.size() <= shape->size();
}

/// How an operand is laid out that has one number per number of the scale.
Shape layout_of(const Match& match, bool per_channel) {
  Shape layout = match.constant("scale")->shape;
  if (per_channel) layout.resize(match.shape("x")->size() - 1, 1);
  return layout;
}

bool scale_by_gamma(Match& match, bool per_channel) {
  if (!keeps_rank(match, "gamma")) return false;
  const Shape layout = layout_of(match, per_channel);
  if (match.has("bias") && match.value("bias") != kAbsent &&
      !combine(match, "bias", "gamma", layout, std::multiplies<>())) {
    return false;
  }
  return combine(match, "scale", "gamma", layout, std::multiplies<>());
}

bool move_by_beta(Match& match, bool per_channel) {
  if (!keeps_rank(match, "beta")) return false;
  if (match.value("bias") == kAbsent) match.set("bias", filled(match.constant("scale")->shape, 0));
  return combine(match, "bias", "beta", layout_of(match, per_channel), std::plus<>());
}

/// Groups of whole channels, and back: what PyTorch writes for nn.GroupNorm.
bool over_groups(Match& match) {
  const Shape* shape = match.shape("x");
  const Shape* grouped = match.shape("grouped");
  if (!shape || !grouped || shape->size() < 3 || grouped->size() < 3 || !match.result_shape() ||
      *match.result_shape() != *shape || shape->front() != grouped->front() || !row_size(*shape) ||
      row_size(*shape) != row_size(*grouped)) {
    return false;
  }
  const int64_t groups = (*grouped)[1];
  const int64_t channels = (*shape)[1];
  if (groups < 1 || channels % groups != 0) return false;
  for (const auto& [from, into] : {std::pair("s", "scale"), std::pair("b", "bias")}) {
    const auto given = match.floats(from);
    Tensor spread(DType::Float32, {channels});
    if (given.size() != static_cast<size_t>(groups)) return false;
    for (int64_t c = 0; c < channels; ++c) {
      spread.as<float>()[static_cast<size_t>(c)] =
          given[static_cast<size_t>(c * groups / channels)];
    }
    match.set(into, std::move(spread));
  }
  match.set("groups", groups);
  return true;
}

/// Along one axis; a smallest norm must be too small to matter.
bool unit_length(Match& match) {
  if (match.has("smallest") && match.number("smallest") > 1e-12F) return false;
  const auto axes = match.integers("axes");
  if (axes.size() == 1) match.set("axis", axes[0]);
  return axes.size() == 1;
}

/// x / sqrt(mean(y * y) + epsilon), for any way to write it.
std::string divided_by_rms(std::string_view x, std::string_view square) {
  const std::string root = std::format(
      "Sqrt(Add(ReduceMean{{keepdims=1}}({}, ?axes:constant), ?epsilon:number))", square);
  return std::format("Div({0}, {1}) | Mul({0}, Reciprocal({1}))", x, root);
}

constexpr bool kPerChannel = true;

// Ba, Kiros and Hinton, "Layer Normalization" (2016); Zhang and Sennrich, "Root Mean Square Layer
// Normalization" (2019).
std::vector<Rule> layer_rules() {
  const std::string centred = "?d=Sub(?x, ReduceMean{keepdims=1}(?x, ?axes:constant))";
  return {
      {divided_by_rms(centred, "Mul(?d, ?d)"),
       "LayerNormalization{axis=@axis, epsilon=@epsilon}(?x, ?scale)", over_last_axes},
      {"Mul(LayerNormalization{**a}(?x, ?scale:constant, ?bias:optional), ?gamma:constant)",
       "LayerNormalization{**a}(?x, ?scale, ?bias)",
       [](Match& match) { return scale_by_gamma(match, !kPerChannel); }},
      {"Add(LayerNormalization{**a}(?x, ?scale:constant, ?bias:optional), ?beta:constant)",
       "LayerNormalization{**a}(?x, ?scale, ?bias)",
       [](Match& match) { return move_by_beta(match, !kPerChannel); }},
      {divided_by_rms("?x", "Mul(?x, ?x)"),
       "RMSNormalization{axis=@axis, epsilon=@epsilon}(?x, ?scale)", over_last_axes},
      {"Mul(RMSNormalization{**a}(?x, ?scale:constant), ?gamma:constant)",
       "RMSNormalization{**a}(?x, ?scale)",
       [](Match& match) { return scale_by_gamma(match, !kPerChannel); }},
  };
}

// Wu and He, "Group Normalization" (2018).
std::vector<Rule> group_rules() {
  return {
      {"Reshape(InstanceNormalization{epsilon=@epsilon}(?grouped=Reshape(?x, _), ?s:constant,"
       " ?b:constant), _)",
       "GroupNormalization{num_groups=@groups, epsilon=@epsilon}(?x, ?scale, ?bias)", over_groups},
      {"Mul(GroupNormalization{**a}(?x, ?scale:constant, ?bias:constant), ?gamma:constant)",
       "GroupNormalization{**a}(?x, ?scale, ?bias)",
       [](Match& match) { return scale_by_gamma(match, kPerChannel); }},
      {"Add(GroupNormalization{**a}(?x, ?scale:constant, ?bias:constant), ?beta:constant)",
       "GroupNormalization{**a}(?x, ?scale, ?bias)",
       [](Match& match) { return move_by_beta(match, kPerChannel); }},
  };
}

std::vector<Rule> length_rules() {
  const std::string norm = "ReduceL2{keepdims=1}(?x, ?axes:constant)";
  const std::string floor =
      std::format("{0} | Clip({0}, ?smallest:number, -) | Max({0}, ?smallest:number)", norm);
  return {
      {"Sqrt(ReduceSum{**a}(Mul(?x, ?x), ?axes:optional)) | Sqrt(ReduceSumSquare{**a}(?x, "
       "?axes:optional))",
       "ReduceL2{**a}(?x, ?axes)"},
      {std::format("Div(?x, {0} | Expand({0}, _)) | Mul(?x, Reciprocal({0}))", "(" + floor + ")"),
       "LpNormalization{axis=@axis, p=2}(?x)", unit_length},
  };
}

}  // namespace

size_t fuse_normalizations(Graph& graph) {
  static const Rewriter kLayers(layer_rules());
  static const Rewriter kGroups(group_rules());
  static const Rewriter kLengths(length_rules());
  const size_t layers = kLayers(graph);
  const size_t groups = kGroups(graph);
  return layers + groups + kLengths(graph);
}

}  // namespace octet
