#pragma once

#include "ops/op_def.h"

namespace octet {

// One function per family file; `all_ops` is their sum.
std::vector<OpDef> activation_ops();
std::vector<OpDef> conv_ops();
std::vector<OpDef> elementwise_ops();
std::vector<OpDef> layout_ops();
std::vector<OpDef> matmul_ops();
std::vector<OpDef> norm_ops();
std::vector<OpDef> pool_ops();
std::vector<OpDef> reduce_ops();
std::vector<OpDef> shape_ops();

}  // namespace octet
