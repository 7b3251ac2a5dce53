#pragma once

namespace octet {

/// The processor multiplies numbers of bfloat16 (AVX512-BF16, AMX, or Arm's BF16 extension).
bool has_bfloat16_products();

}  // namespace octet
