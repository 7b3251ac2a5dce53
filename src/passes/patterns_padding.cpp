#include <algorithm>
#include <functional>
#include <limits>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace octet {
namespace {

using Numbers = std::vector<int64_t>;

std::string text_or(const Attributes& attributes, const std::string& name, std::string fallback) {
  const auto it = attributes.find(name);
  return it == attributes.end() ? fallback : std::get<std::string>(it->second);
}
int64_t number_or(const Attributes& attributes, const std::string& name, int64_t fallback) {
  const auto it = attributes.find(name);
  return it == attributes.end() ? fallback : std::get<int64_t>(it->second);
}

/// What Pad puts around the image, as the attribute `pads` says it; empty when it pads batch or
/// channels, or cuts.
Numbers around_image(const Match& match) {
  const Numbers pads = match.integers("pads");
  const size_t rank = pads.size() / 2;
  Numbers around;
  for (size_t i = 0; i < pads.size(); ++i) {
    if (pads[i] < 0 || (i % rank < 2 && pads[i] != 0)) return {};
    if (i % rank >= 2) around.push_back(pads[i]);
  }
  return around;
}

bool fills_with(const Match& match, float number) {
  if (match.value("fill") == kAbsent) return number == 0;
  const auto fill = match.floats("fill");
  return fill.size() == 1 && (number == 0 ? fill[0] == 0 : fill[0] <= number);
}

/// Adds Pad's numbers to the pads of the window operator.
bool add_pads(Match& match) {
  const Numbers around = around_image(match);
  Attributes& attributes = match.attributes("a");
  const std::string automatic = text_or(attributes, "auto_pad", "NOTSET");
  if (around.empty() || (automatic != "NOTSET" && automatic != "VALID")) return false;
  Numbers pads(around.size(), 0);
  if (const auto it = attributes.find("pads"); it != attributes.end()) {
    pads = std::get<Numbers>(it->second);
  }
  if (pads.size() != around.size()) return false;
  std::ranges::transform(pads, around, pads.begin(), std::plus<>());
  // Runtimes want something of the image in each pooling window.
  if (const auto kernel = attributes.find("kernel_shape"); kernel != attributes.end()) {
    const auto& size = std::get<Numbers>(kernel->second);
    for (size_t i = 0; i < pads.size(); ++i) {
      if (match.root().op != "Conv" && pads[i] >= size.at(i % size.size())) return false;
    }
  }
  attributes["pads"] = pads;
  attributes.erase("auto_pad");
  return true;
}

bool pads_zeros(Match& match) { return fills_with(match, 0) && add_pads(match); }

bool pads_average(Match& match) {
  Attributes& attributes = match.attributes("a");
  const bool counts = number_or(attributes, "count_include_pad", 0) != 0;
  const auto it = attributes.find("pads");
  const bool padded = it != attributes.end() && std::ranges::any_of(std::get<Numbers>(it->second),
                                                                    [](int64_t p) { return p; });
  if ((padded && !counts) || number_or(attributes, "ceil_mode", 0) != 0) return false;
  if (!pads_zeros(match)) return false;
  attributes["count_include_pad"] = int64_t{1};
  return true;
}

bool pads_lowest(Match& match) {
  return number_or(match.attributes("a"), "ceil_mode", 0) == 0 &&
         fills_with(match, std::numeric_limits<float>::lowest()) && add_pads(match);
}

/// Zeros change no maximum of numbers that are not negative.
bool pads_below(Match& match) {
  return number_or(match.attributes("a"), "ceil_mode", 0) == 0 && pads_zeros(match);
}

bool pads_nothing(Match& match) {
  const Numbers pads = match.integers("pads");
  return !pads.empty() && std::ranges::all_of(pads, [](int64_t pad) { return pad == 0; });
}

std::vector<Rule> padding_rules() {
  const std::string pad = "Pad{mode='constant'}(?x, ?pads:constant, ?fill:optional)";
  const std::string positive =
      "Pad{mode='constant'}(?x=(Relu(_) | Sigmoid(_) | Clip(_, 0, _)), ?pads:constant,"
      " ?fill:optional)";
  return {
      {"Pad(?x, ?pads:constant, ?fill:optional)", "?x", pads_nothing},
      {"Conv{**a}(" + pad + ", ?w, ?b:optional)", "Conv{**a}(?x, ?w, ?b)", pads_zeros},
      {"AveragePool{**a}(" + pad + ")", "AveragePool{**a}(?x)", pads_average},
      {"MaxPool{**a}(" + pad + ")", "MaxPool{**a}(?x)", pads_lowest},
      {"MaxPool{**a}(" + positive + ")", "MaxPool{**a}(?x)", pads_below},
  };
}

}  // namespace

size_t fold_padding(Graph& graph) {
  static const Rewriter kPadding(padding_rules());
  return kPadding(graph);
}

}  // namespace octet
