#pragma once

#include "api/stages.h"
#include "octet/octet.h"
#include "quant/calibrate.h"

namespace octet {

/// How representative the images of a calibration were of a solved network's data.
CalibrationReport report_on(const QuantizedNetwork& network, const ObservedNetwork& observed,
                            const CalibrationSettings& settings);

/// `batch_effect` (quant/batch_effect.h) of the first two calibration images; 0 where there is one.
double effect_of_batch(const Graph& graph, const CalibrationImages& images);

}  // namespace octet
