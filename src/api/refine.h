#pragma once

#include "api/methods.h"

namespace octet {

// Methods that refine the calibrated network, all but the first with the first of the calibration
// images.

void run_analytic_bias_correction(QuantizedNetwork& network, const MethodContext& context);
void run_bias_correction(QuantizedNetwork& network, const MethodContext& context);
void run_adaround(QuantizedNetwork& network, const MethodContext& context);
void run_reconstruct(QuantizedNetwork& network, const MethodContext& context);
void run_learn_ranges(QuantizedNetwork& network, const MethodContext& context);

}  // namespace octet
