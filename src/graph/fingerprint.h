#pragma once

#include <string>

#include "graph/graph.h"

namespace octet {

/// 16 hexadecimal digits that two networks share only by chance (2^-64, and not against malice)
/// unless they are the same: operators, wiring by names, attributes, shapes of inputs, and the
/// constants to the last bit. The same on every machine (FNV-1a over 64-bit words).
std::string fingerprint(const Graph& graph);

}  // namespace octet
