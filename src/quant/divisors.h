#pragma once

#include <ATen/core/Tensor.h>

#include <map>

#include "graph/quant_table.h"
#include "quant/place.h"

namespace octet {

/// Values that others are divided by, each with half a step of its grid: the deployed network knows
/// no smaller divisor, but its table's largest entry (quant/lookup.h), and the gradients of an
/// inverse of what is nearly 0 are beyond any number.
std::map<ValueId, float> find_divisors(const Graph& graph, const Placement& placement,
                                       const QuantTable& table);

/// Numbers smaller than `least` become as large as that, with their sign, and have no gradient.
at::Tensor away_from_zero(const at::Tensor& tensor, float least);

}  // namespace octet
