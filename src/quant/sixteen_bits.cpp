#include "quant/sixteen_bits.h"

#include <algorithm>

#include "base/fail.h"
#include "quant/solve.h"

namespace octet {

QuantParams sixteen_bit_grid(float scale) {
  return {.type = DType::Int16,
          .low = static_cast<int32_t>(lowest(DType::Int16)),
          .high = static_cast<int32_t>(highest(DType::Int16)),
          .scale = {scale},
          .zero_point = {0},
          .origin = Origin::Fixed};
}

QuantParams sixteen_bit_params(Range range) {
  const float largest = range.empty ? 0.0F : std::max(-range.low, range.high);
  QuantParams params = sixteen_bit_grid(std::max(largest / 32767.0F, kSmallestScale));
  params.origin = Origin::Observed;
  return params;
}

void check_activation_bits(const TargetSet& targets, const Scheme& scheme) {
  if (scheme.activation_bits != 8 && scheme.activation_bits != 16) {
    fail(Code::Usage, "{} bits for activations; wanted 8 or 16", scheme.activation_bits);
  }
  for (const TargetProfile* target : targets.profiles()) {
    if (target->activation_bits == scheme.activation_bits) continue;
    fail(Code::Usage,
         "the target '{}' has integer kernels of {}-bit activations, not of {} bits; choose {}",
         target->name, target->activation_bits, scheme.activation_bits,
         target->activation_bits == 16 ? "16 bits, or a target of 8"
                                       : "8 bits, or the target 'tflite-int16x8' alone");
  }
}

}  // namespace octet
