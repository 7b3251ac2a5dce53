#pragma once

#include "pipeline/parity.h"

namespace octet::test {

/// Conv_0 - Relu_1 - Conv_2 - Relu_3 - Conv_4 - Add_5 (with Relu_1) - Relu_6 - GlobalAveragePool_7
/// - Flatten_8 - Gemm_9: the Flatten_10 behind it is the test's.
inline ValueId residual(SmallNet& n) {
  const ValueId skipped = n.op("Relu", {n.mixed(n.x, 4)});
  const auto conv = [&](ValueId in) {
    return n.op("Conv", {in, n.c({4, 4, 3, 3}), n.c({4})}, {{"pads", L{1, 1, 1, 1}}});
  };
  const ValueId inner = conv(n.op("Relu", {conv(skipped)}));
  const ValueId sum = n.op("Relu", {n.op("Add", {inner, skipped})});
  const ValueId pooled = n.op("Flatten", {n.op("GlobalAveragePool", {sum})});
  return n.op("Gemm", {pooled, n.c({4, 5}), n.c({5})});
}

}  // namespace octet::test
