#pragma once

#include "ops/examples/activation.h"
#include "ops/examples/along_axis.h"
#include "ops/examples/attention.h"
#include "ops/examples/bitwise.h"
#include "ops/examples/conv.h"
#include "ops/examples/elementwise.h"
#include "ops/examples/gather.h"
#include "ops/examples/layout.h"
#include "ops/examples/logic.h"
#include "ops/examples/matmul.h"
#include "ops/examples/norm.h"
#include "ops/examples/pad.h"
#include "ops/examples/pool.h"
#include "ops/examples/reduce.h"
#include "ops/examples/resize.h"
#include "ops/examples/sample.h"
#include "ops/examples/shape.h"
#include "ops/examples/slice.h"
#include "ops/examples/sort.h"
#include "ops/examples/unary_math.h"

namespace octet::test {

/// Every example, the families one after the other; an operator that is added needs some here.
inline const std::vector<OpExample>& op_examples() {
  static const std::vector<OpExample> examples = [] {
    std::vector<OpExample> all;
    for (auto family :
         {activation_examples, conv_examples,    elementwise_examples, layout_examples,
          matmul_examples,     norm_examples,    pool_examples,        reduce_examples,
          gather_examples,     pad_examples,     resize_examples,      sample_examples,
          slice_examples,      sort_examples,    shape_examples,       along_axis_examples,
          attention_examples,  bitwise_examples, logic_examples,       unary_math_examples}) {
      std::ranges::move(family(), std::back_inserter(all));
    }
    return all;
  }();
  return examples;
}

}  // namespace octet::test
