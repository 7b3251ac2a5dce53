#include "quant/override.h"

#include <algorithm>
#include <array>
#include <format>

#include "base/fail.h"
#include "base/text.h"
#include "ops/op_def.h"

namespace octet {
namespace {

struct OverrideWord {
  std::string_view word;
  /// Says it; false where something else of its kind is said already.
  bool (*say)(Override& chosen);
  bool (*said)(const Override& chosen);
};

template <auto kMember, auto kChoice>
constexpr OverrideWord override_word(std::string_view word) {
  return {.word = word,
          .say =
              [](Override& chosen) {
                if (chosen.*kMember) return false;
                chosen.*kMember = kChoice;
                return true;
              },
          .said = [](const Override& chosen) { return chosen.*kMember == kChoice; }};
}

constexpr std::array kOverrideWords{
    override_word<&Override::compute, Override::Compute::Float>("float"),
    override_word<&Override::compute, Override::Compute::Int8>("int8"),
    override_word<&Override::compute, Override::Compute::Int16>("int16"),
    override_word<&Override::weights, Scheme::Weights::PerChannel>("per-channel"),
    override_word<&Override::weights, Scheme::Weights::PerTensor>("per-tensor"),
    override_word<&Override::activations, Scheme::Activations::Asymmetric>("asymmetric"),
    override_word<&Override::activations, Scheme::Activations::Symmetric>("symmetric"),
};

}  // namespace

std::vector<std::string> override_words() {
  std::vector<std::string> words;
  for (const OverrideWord& known : kOverrideWords) words.emplace_back(known.word);
  return words;
}

Override parse_override(std::string_view text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    fail(Code::Usage, "the override is '{}'; wanted PATTERN=WORDS, such as '/head/*=float'", text);
  }
  Override chosen{.nodes = std::string(text.substr(0, equals))};
  for (const std::string& word : split_text(text.substr(equals + 1), ',')) {
    const auto known = std::ranges::find(kOverrideWords, word, &OverrideWord::word);
    if (known == kOverrideWords.end()) {
      fail(Code::Usage, "the override '{}' says '{}'; wanted {}", text, word,
           join(override_words(), ", "));
    }
    if (!known->say(chosen)) {
      fail(Code::Usage, "the override '{}' says '{}' beside another word of its kind; wanted one",
           text, word);
    }
  }
  return chosen;
}

std::string override_text(const Override& chosen) {
  std::vector<std::string> words;
  for (const OverrideWord& known : kOverrideWords) {
    if (known.said(chosen)) words.emplace_back(known.word);
  }
  return std::format("{}={}", chosen.nodes, join(words, ","));
}

namespace {

/// Completes "the override '...': "; empty where the target can run it.
std::string reason_against(const Override& chosen, const TargetProfile& target,
                           const Scheme& scheme) {
  const bool wide = scheme.activation_bits == 16;
  if (chosen.compute == Override::Compute::Float && target.float_nodes == FloatNodes::None) {
    return std::format(
        "a {} file (target {}) has no float between its integers; make files for onnxruntime-cpu "
        "or tflite, or leave it out",
        target.format, target.name);
  }
  const bool int16 = chosen.compute == Override::Compute::Int16;
  if (int16 && !wide && target.of_16_bits.empty()) {
    return std::format(
        "{} (target {}) has no integer kernels of 16-bit activations; make files for tflite alone, "
        "or leave it out",
        target.extension == ".onnx" ? "ONNX Runtime" : "the device", target.name);
  }
  if (int16 && scheme.scales == Scheme::Scales::PowerOfTwo) {
    return "scales that are powers of two are for 8-bit activations; leave it out";
  }
  if (chosen.compute == Override::Compute::Int8 && wide) {
    return std::format("a {} file (target {}) holds 16-bit activations throughout; leave it out",
                       target.format, target.name);
  }
  if (chosen.activations == Scheme::Activations::Asymmetric && (wide || int16)) {
    return std::format("16-bit activations (target {}) lie around 0; leave it out", target.name);
  }
  if (chosen.weights == Scheme::Weights::PerChannel &&
      target.weights() == Scheme::Weights::PerTensor) {
    return std::format("the target {} has weights per tensor only; leave it out", target.name);
  }
  return "";
}

}  // namespace

void check_overrides(const TargetSet& targets, const Scheme& scheme,
                     std::span<const Override> overrides) {
  if (!overrides.empty() && scheme.ranges != Scheme::Ranges::Static) {
    fail(Code::Usage, "only static ranges have a choice by node; leave out '{}'",
         override_text(overrides[0]));
  }
  for (const Override& chosen : overrides) {
    for (const TargetProfile* target : targets.profiles()) {
      const std::string reason = reason_against(chosen, *target, scheme);
      if (reason.empty()) continue;
      fail(Code::Usage, "the override '{}': {}", override_text(chosen), reason);
    }
  }
}

bool matches(std::string_view pattern, std::string_view name) {
  size_t at = 0;
  size_t letter = 0;
  size_t star = std::string_view::npos;  ///< the last one, and what it stands for so far
  size_t taken = 0;
  while (letter < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      taken = letter;
    } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == name[letter])) {
      ++at;
      ++letter;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      letter = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

bool is_of(const Override& chosen, const Graph& graph, const Node& node) {
  return matches(chosen.nodes, node.name) || std::ranges::any_of(node.outputs, [&](ValueId out) {
           return out != kAbsent && matches(chosen.nodes, graph.value(out).name);
         });
}

namespace {

bool has_weights(const Graph& graph, const Node& node) {
  const auto* rule = std::get_if<Weighted>(&op_of(node).quant.value);
  return rule && graph.is_constant(node.input(rule->weight));
}

/// Names whose beginnings are most like the pattern.
std::vector<std::string> near_names(const Graph& graph, const std::string& pattern) {
  std::string word = pattern;
  std::erase_if(word, [](char letter) { return letter == '*' || letter == '?'; });
  std::vector<std::string> names;
  std::vector<std::string> beginnings;
  for (const NodeId id : graph.order()) {
    names.push_back(graph.node(id).name);
    beginnings.push_back(names.back().substr(0, word.size()));
  }
  const std::string best = nearest(word, beginnings);
  std::vector<std::string> found;
  for (size_t i = 0; i < names.size() && found.size() < 3; ++i) {
    if (best.empty() || beginnings[i] == best) found.push_back(std::format("'{}'", names[i]));
  }
  return found;
}

void tell(const Override& chosen, Override& node) {
  if (chosen.compute) node.compute = chosen.compute;
  if (chosen.weights) node.weights = chosen.weights;
  if (chosen.activations) node.activations = chosen.activations;
}

}  // namespace

std::map<NodeId, Override> chosen_by_node(const Graph& graph, std::span<const Override> overrides) {
  std::map<NodeId, Override> found;
  for (const Override& chosen : overrides) {
    bool any = false;
    bool weighted = false;
    for (const NodeId id : graph.order()) {
      const Node& node = graph.node(id);
      if (!is_of(chosen, graph, node)) continue;
      any = true;
      weighted = weighted || has_weights(graph, node);
      tell(chosen, found[id]);
    }
    if (!any) {
      fail(Code::Usage, "the override '{}' is of no node of the fused network; near it are {}",
           override_text(chosen), join(near_names(graph, chosen.nodes)));
    }
    if (chosen.weights && !weighted) {
      fail(Code::Usage, "the override '{}' is of no node that has weights", override_text(chosen));
    }
  }
  return found;
}

}  // namespace octet
