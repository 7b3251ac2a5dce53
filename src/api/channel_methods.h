#pragma once

#include "api/methods.h"

namespace octet {

// The methods that scale or shift channels of the float network (quant/channels): each tells in the
// context's notes what it did. They look at 256 of the calibration images at most.

void run_equalize(Graph& graph, const MethodContext& context);
void run_equalize_sums(Graph& graph, const MethodContext& context);
void run_migrate(Graph& graph, const MethodContext& context);
void run_equalize_heads(Graph& graph, const MethodContext& context);
void run_absorb_bias(Graph& graph, const MethodContext& context);

}  // namespace octet
