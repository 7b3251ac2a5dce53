#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "graph/quant_table.h"
#include "quant/target.h"

namespace octet {

/// A value of one grid that is read on another one: `to` is its copy there.
struct Requantization {
  ValueId from;
  ValueId to;
  /// The file rounds at this place too. Otherwise `from` is rounded to its own grid first, which
  /// the file does not do: results may differ by a step.
  bool exact;
};

/// Brings grids that a network was given with (`given`: by value) and the rules of the targets
/// together, without changing a grid. A value that shares its grid with a given one, by what its
/// operator does or by the rules of the targets, gets it. Where values of different given grids
/// would have to share one, a copy is put in between (a Clip without bounds: its integers are those
/// of its source on another grid); so too where a target knows only another grid for an operator's
/// result. Constants are rounded to the grid of their operator. New values are added to `given`.
std::vector<Requantization> reconcile(Graph& graph, const TargetSet& targets, QuantTable& given);

/// Whether a grid is one that the row demands.
bool meets(const QuantParams& grid, const TargetOp& row);

/// Whether `to` is the grid of the same integers times `factor`, but for the rounding of its scale.
bool is_rescaled(const QuantParams& from, double factor, const QuantParams& to);

/// Whether the integers of the grid end where the bounds do, or before.
bool ends_at(const QuantParams& grid, std::pair<float, float> bounds);

/// The grid that the file gives those of the values that it gives one; nullopt: none has one.
/// Throws Code::Unsupported naming values whose grids differ, and one that is not int8 with one
/// scale.
std::optional<QuantParams> shared_grid(const Graph& graph, const QuantTable& given,
                                       const std::vector<ValueId>& values);

}  // namespace octet
