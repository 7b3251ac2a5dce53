#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>

#include "passes/broadcast.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace octet {
namespace {

using Axes = std::vector<int64_t>;

const Axes& permutation(const Match& match, std::string_view name) {
  return std::get<Axes>(match.attribute(name));
}

bool permutes_nothing(Match& match) {
  const Axes& perm = permutation(match, "perm");
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

bool merged_permutation(Match& match) {
  const Axes& inner = permutation(match, "inner");
  Axes merged;
  for (const int64_t axis : permutation(match, "outer")) {
    merged.push_back(inner.at(static_cast<size_t>(axis)));
  }
  match.set("perm", merged);
  return true;
}

/// The same shape, also for every batch: at most one dimension depends on it, the first.
bool same_shape(Match& match) {
  const Shape* from = match.shape("x");
  const Shape* into = match.result_shape();
  return from && into && *from == *into && (from->empty() || row_size(*from));
}

/// The target copies no dimension of the reshaped value that its operand does not have, too.
bool same_target(Match& match) {
  const Shape* from = match.shape("x");
  const Shape* between = match.shape("y");
  if (!from || !between || match.constant("target")->dtype != DType::Int64) return false;
  const Axes target = match.integers("target");
  const bool literal_zero = std::get<int64_t>(match.attribute("zero")) != 0;
  for (size_t i = 0; i < target.size() && !literal_zero; ++i) {
    if (target[i] != 0) continue;
    if (i >= from->size() || i >= between->size() || (*from)[i] != (*between)[i]) return false;
    if ((*from)[i] < 0 && (i > 0 || !row_size(*from) || row_size(*from) != row_size(*between))) {
      return false;
    }
  }
  return true;
}

/// From the first element to beyond the last, in steps of one.
bool slices_nothing(Match& match) {
  const auto all = [&](std::string_view name, auto condition) {
    return match.value(name) != kAbsent && match.constant(name) &&
           match.constant(name)->dtype == DType::Int64 &&
           std::ranges::all_of(match.integers(name), condition);
  };
  return all("starts", [](int64_t start) { return start == 0; }) &&
         all("ends", [](int64_t end) { return end >= INT32_MAX; }) &&
         (match.value("steps") == kAbsent || all("steps", [](int64_t step) { return step == 1; }));
}

/// onnx.proto, TensorProto.DataType.
bool casts_nothing(Match& match) {
  static constexpr std::array kTypes{std::pair{1, DType::Float32},  std::pair{2, DType::UInt8},
                                     std::pair{3, DType::Int8},     std::pair{6, DType::Int32},
                                     std::pair{7, DType::Int64},    std::pair{9, DType::Bool},
                                     std::pair{10, DType::Float16}, std::pair{11, DType::Float64}};
  const Value& from = match.graph().value(match.value("x"));
  const auto to = std::get<int64_t>(match.attribute("to"));
  return from.shape_known &&
         std::ranges::contains(kTypes, std::pair{static_cast<int>(to), from.dtype});
}

/// The image of a network that PyTorch's exporter took from channels-last: over rows and columns.
bool over_image(Match& match) {
  const Shape* shape = match.shape("x");
  return shape && shape->size() == 4 && sorted_axes(match.integers("axes"), 4) == Axes{1, 2};
}

/// The axes of two reductions, of which the outer one counts axes without (keepdims=0) or with
/// those that the inner one reduced.
bool merged_axes(Match& match) {
  const Shape* shape = match.shape("x");
  if (!shape) return false;
  const bool keeps = std::get<int64_t>(match.attribute("keep")) != 0;
  Axes axes = sorted_axes(match.integers("inner"), shape->size());
  const size_t left = keeps ? shape->size() : shape->size() - axes.size();
  const Axes outer = sorted_axes(match.integers("outer"), left);
  if (axes.empty() || outer.empty()) return false;
  Axes kept(shape->size());
  std::iota(kept.begin(), kept.end(), 0);
  if (!keeps) std::erase_if(kept, [&](int64_t axis) { return std::ranges::contains(axes, axis); });
  for (const int64_t axis : outer) {
    if (!std::ranges::contains(axes, kept.at(static_cast<size_t>(axis)))) {
      axes.push_back(kept.at(static_cast<size_t>(axis)));
    }
  }
  std::ranges::sort(axes);
  match.set("axes", Tensor::vector(axes));
  return true;
}

std::string reduced_twice(const std::string& op) {
  return op + "{keepdims=@keep}(" + op + "{keepdims=@keep}(?x, ?inner:constant), ?outer:constant)";
}

std::vector<Rule> layout_rules() {
  return {
      {"Transpose{perm=@perm}(?x)", "?x", permutes_nothing},
      {"Transpose{perm=@outer}(&Transpose{perm=@inner}(?x))", "Transpose{perm=@perm}(?x)",
       merged_permutation},
      {"Reshape(?x, _) | Flatten(?x) | Expand(?x, _) | Squeeze(?x, _)", "?x", same_shape},
      // Whatever it was in between: the target says all.
      {"Reshape{allowzero=@zero}(?y=(&Reshape(?x, _) | &Flatten(?x) | &Squeeze(?x, _)"
       " | &Unsqueeze(?x, _)), ?target:constant)",
       "Reshape{allowzero=@zero}(?x, ?target)", same_target},
      {"Slice(?x, ?starts:constant, ?ends:constant, ?axes:optional, ?steps:optional)", "?x",
       slices_nothing},
      {"Cast{to=@to}(?x)", "?x", casts_nothing},
      {reduced_twice("ReduceMean"), "ReduceMean{keepdims=@keep}(?x, ?axes)", merged_axes},
      {reduced_twice("ReduceMax"), "ReduceMax{keepdims=@keep}(?x, ?axes)", merged_axes},
      {"ReduceMean{keepdims=0}(Transpose{perm=[0, 2, 3, 1]}(?x), ?axes:constant)",
       "Flatten{axis=1}(GlobalAveragePool(?x))", over_image},
      {"ReduceMax{keepdims=0}(Transpose{perm=[0, 2, 3, 1]}(?x), ?axes:constant)",
       "Flatten{axis=1}(GlobalMaxPool(?x))", over_image},
  };
}

}  // namespace

size_t simplify_layout(Graph& graph) {
  static const Rewriter kLayout(layout_rules());
  return kLayout(graph);
}

}  // namespace octet
