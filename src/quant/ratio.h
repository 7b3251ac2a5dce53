#pragma once

#include "graph/quant_table.h"
#include "quant/target.h"

namespace octet {

/// Up to here a fixed-point runtime re-quantizes as its dialect says: the step of what an operator
/// computes (of a sum: of its coarser input) over the step of its result. TFLite's ADD and SUB
/// abort from 2^19 on; products shift their 32-bit sums left by so many bits.
inline constexpr double kLargestSumRatio = 524288;  ///< 2^19, which is too much already
inline constexpr double kLargestRatio = 1048576;    ///< 2^20

/// Throws Code::Unsupported, naming the value, its scale and the node, for a result whose grid is
/// too fine for a target with fixed-point multipliers. What is too coarse merely becomes 0.
void check_ratios(const Graph& graph, const QuantTable& table, const TargetSet& targets);

}  // namespace octet
