#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dialects/pair_order.h"
#include "graph/graph.h"
#include "graph/io.h"
#include "graph/quant_table.h"
#include "quant/lookup.h"
#include "quant/override.h"
#include "quant/scheme.h"
#include "quant/target.h"

namespace octet {

// --- How the parameters of a group come about ----------------------------------------------------

/// From the range of its members' data. Ranges are cut to [low, high]: the bounds of absorbed
/// activations.
struct FromData {
  float low;
  float high;
};
/// The grid is known beforehand.
struct FixedGrid {
  float scale;
  int32_t zero_point;
};
/// The integers of `source`, on its scale times `factor`.
struct Rescaled {
  ValueId source;
  double factor;
};
/// A weight: symmetric, narrow, per channel along `axis`, or with one scale for all. A scale is
/// never so small that the bias (kAbsent: none) would not fit into 32 bits.
struct WeightGrid {
  int axis;       ///< -1: per tensor
  ValueId input;  ///< of its node; only with a bias it is asked for
  ValueId bias;
  /// Not `None`: nor so small that a pair of products could saturate (quant/saturation.h).
  PairOrder pairs = PairOrder::None;
};
/// A bias: 32 bits at input scale x weight scale.
struct BiasGrid {
  ValueId input;
  ValueId weight;
};
using GroupRule = std::variant<FromData, FixedGrid, Rescaled, WeightGrid, BiasGrid>;

/// Values that share one set of quantization parameters.
struct Group {
  std::vector<ValueId> members;
  GroupRule rule;
  Scheme scheme = {};  ///< the placement's, or what an override makes of it
};

/// A group whose scale is one of `with_whole_shift` (whole_shift.h).
struct WholeShift {
  size_t group;
  ValueId input;  ///< of the node that makes its first value
};

/// Which values of a network are quantized, and how: decided from the graph and the targets alone,
/// before any data is looked at.
struct Placement {
  Scheme scheme;
  std::vector<Group> groups;           ///< a rescaled or bias group stands after its sources
  std::map<ValueId, size_t> group_of;  ///< quantized values only
  /// Computed values whose integers were rounded before (what `Moves` operators put out, and
  /// rescaled values): they need no rounding of their own.
  std::map<ValueId, bool> exact;
  /// Values on the grid of what clips them, which others have a say in; their range is not
  /// observed.
  std::set<ValueId> clipped_later;
  std::vector<WholeShift> whole_shifts;  ///< in order
  /// Values inside an operator with its activation, or inside a chain; they never exist.
  std::vector<ValueId> absorbed;
  std::map<ValueId, Chain> chains;  ///< computed by a table, by their result
  /// Of dynamic ranges: weights of nodes that read on a grid for each image, made when it is known.
  std::set<ValueId> read_by_image;
  /// Nodes between integers that compute in float, with what completes "stays in float because".
  std::map<NodeId, std::string> in_float;
};

/// Places quantizers on every float value of the compute path, whatever its node computes in.
/// Where a target takes weights per tensor only they are so whatever the scheme says
/// (`TargetSet::check`). Nodes that are told to compute on 16 bits where others have 8 have the
/// rules of such kernels; copies must stand around them (`copy_between_widths`, widths.h).
/// Overrides (`check_overrides`) say otherwise by node; values that share a grid are symmetric
/// where one of them is asked to be, and asymmetric where one is and none is asked to be symmetric.
/// `io` is what stands at the ends of the files: inputs and outputs that only float nodes touch are
/// rounded where integers do. Values that a file gives grids (`given`) keep them: nothing absorbs
/// them, and their groups are `FixedGrid`; `reconcile` (reconcile.h) has to come first. Throws
/// Code::Unsupported naming a node whose rules contradict each other, and given values that cannot
/// be as the targets want them; Code::Usage as `chosen_by_node` does.
Placement place(const Graph& graph, const TargetSet& targets, const Scheme& scheme = {},
                const QuantTable& given = {}, std::span<const Override> overrides = {},
                Io io = Io::Float);

/// Puts the network's input on this grid instead of one from its data. Returns why that cannot be;
/// empty when it was done.
std::string fix_input(const Graph& graph, Placement& placement, const FixedGrid& grid);

}  // namespace octet
