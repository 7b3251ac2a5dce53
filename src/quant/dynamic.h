#pragma once

#include "graph/quant_table.h"
#include "quant/target.h"

namespace octet {

/// The table of a network whose activations stay real: the learnt weights of its convolutions of
/// images (one scale per output channel) and of its products with a matrix (one per column; one
/// for all where a target is TFLite, whose FULLY_CONNECTED takes no more beside real activations).
/// Needs no data. Other constants, those of a lowering among them, have no entry.
QuantTable dynamic_table(const Graph& graph, const TargetSet& targets);

}  // namespace octet
