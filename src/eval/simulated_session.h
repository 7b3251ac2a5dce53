#pragma once

#include <memory>

#include "dialects/dialect.h"
#include "graph/graph.h"
#include "graph/quant_table.h"
#include "quant/place.h"
#include "runtime/session.h"

namespace octet {

/// The quantized network as LibTorch simulates it (fake quantization), behind the interface of a
/// runtime, so that it is scored like one. The arguments must outlive it. `threads` 0: as many as
/// the machine has.
std::unique_ptr<Session> simulate(const Graph& graph, const Placement& placement,
                                  const QuantTable& table, int threads);

/// The same in the integers of a runtime: what its file computes.
std::unique_ptr<Session> simulate(const Graph& graph, const Placement& placement,
                                  const QuantTable& table, const Dialect& dialect, int threads);

}  // namespace octet
