#pragma once

#include "api/checkpoint_file.h"
#include "api/training.h"

namespace octet {

/// What decides what the float network learns: `network` is its fingerprint before it is trained.
/// How often checkpoints are kept is not in it.
TrainingIdentity training_identity(const TrainingPlace& place, const TrainSettings& settings,
                                   const std::string& network);

/// And the quantized one: also what it is quantized for, and how.
TrainingIdentity qat_identity(const TrainingPlace& place, const QuantizedNetwork& network,
                              const TrainSettings& settings, const std::string& source);

}  // namespace octet
