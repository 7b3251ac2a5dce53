#pragma once

#include "api/yaml_section.h"
#include "train/settings.h"

namespace octet {

/// The sections 'train' and 'qat' (`quantized`) of a recipe; `settings` are the defaults. That of
/// 'qat' has sections 'teacher' and 'learn' of its own. Errors as those of `YamlSection`.
TrainSettings read_training(YamlSection section, TrainSettings settings, bool quantized);

}  // namespace octet
