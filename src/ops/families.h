#pragma once

#include "ops/op_def.h"

namespace octet {

/// The rule of operators that a pass takes apart.
inline constexpr FloatOnly kRewritten{"it has to be rewritten into parts first"};

// One function per family file; `all_ops` is their sum.
std::vector<OpDef> activation_ops();
std::vector<OpDef> along_axis_ops();
std::vector<OpDef> attention_ops();
std::vector<OpDef> bitwise_ops();
std::vector<OpDef> conv_ops();
std::vector<OpDef> elementwise_ops();
std::vector<OpDef> gather_ops();
std::vector<OpDef> layer_norm_ops();
std::vector<OpDef> layout_ops();
std::vector<OpDef> logic_ops();
std::vector<OpDef> matmul_ops();
std::vector<OpDef> max_pool_ops();
std::vector<OpDef> norm_ops();
std::vector<OpDef> pad_ops();
std::vector<OpDef> pool_ops();
std::vector<OpDef> reduce_ops();
std::vector<OpDef> resize_ops();
std::vector<OpDef> sample_ops();
std::vector<OpDef> shape_ops();
std::vector<OpDef> slice_ops();
std::vector<OpDef> sort_ops();
std::vector<OpDef> unary_math_ops();

}  // namespace octet
