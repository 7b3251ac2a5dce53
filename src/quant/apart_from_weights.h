#pragma once

#include <set>

#include "quant/place.h"

namespace octet {

/// The groups of activations that no weighted operator reads or makes a value of: what is left
/// alone where weights learn first.
std::set<size_t> groups_apart_from_weights(const Graph& graph, const Placement& placement);

}  // namespace octet
