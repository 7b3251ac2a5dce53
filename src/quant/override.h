#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "quant/scheme.h"
#include "quant/target.h"

namespace octet {

/// What some nodes are computed in, where that is not left to the scheme. What is not said stays as
/// it is.
struct Override {
  enum class Compute : uint8_t {
    Float,  ///< between integers; only where the target's files may hold that
    Int8,   ///< 8-bit activations: what an earlier override took away
    Int16,  ///< 16-bit activations, in files of TFLite
  };
  /// A pattern of names: `*` stands for any letters, also for '/' and for none, `?` for one. It is
  /// of the nodes that have such a name, and of those that make a value of such a name; as they are
  /// called once the network is fused and lowered.
  std::string nodes;
  std::optional<Compute> compute = {};
  std::optional<Scheme::Weights> weights = {};          ///< of nodes with constant weights
  std::optional<Scheme::Activations> activations = {};  ///< of the values that the nodes make

  bool operator==(const Override&) const = default;
};

/// The words that an override may say: "float", "int8", "int16", "per-channel", ...
std::vector<std::string> override_words();

/// "/head/*=float", "/layer3/*=per-tensor,symmetric": the pattern up to the last '=', then words,
/// each once and of another kind. Throws Code::Usage naming the known ones.
Override parse_override(std::string_view text);
std::string override_text(const Override& chosen);

/// Throws Code::Usage naming an override and a target that cannot run it, and why.
void check_overrides(const TargetSet& targets, const Scheme& scheme,
                     std::span<const Override> overrides);

/// Whether a name is one of the pattern's.
bool matches(std::string_view pattern, std::string_view name);

/// The override is of the node: by its name, or that of a value that it makes.
bool is_of(const Override& chosen, const Graph& graph, const Node& node);

/// What every node that an override is of is told; where overrides differ the last one holds.
/// Throws Code::Usage where a pattern is of no node, naming near ones, or where an override of
/// weights is of no node that has any.
std::map<NodeId, Override> chosen_by_node(const Graph& graph, std::span<const Override> overrides);

}  // namespace octet
