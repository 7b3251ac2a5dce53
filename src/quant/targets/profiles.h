#pragma once

#include "quant/target.h"

namespace octet {

// One file per target; `all_targets` lists them.
TargetProfile onnxruntime_cpu();
TargetProfile onnxruntime_qdq_any();
TargetProfile tflite();
TargetProfile litert();
TargetProfile nxp_neutron();
TargetProfile ethos_u();
TargetProfile cmsis_nn();
TargetProfile tflite_int16x8();

}  // namespace octet
