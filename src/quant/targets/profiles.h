#pragma once

#include "quant/target.h"

namespace octet {

// One file per target; `all_targets` lists them.
TargetProfile onnxruntime_cpu();
TargetProfile tflite();
TargetProfile tflite_int16x8();

}  // namespace octet
