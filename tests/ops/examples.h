#pragma once

#include "ops/examples/activation.h"
#include "ops/examples/conv.h"
#include "ops/examples/elementwise.h"
#include "ops/examples/layout.h"
#include "ops/examples/matmul.h"
#include "ops/examples/norm.h"
#include "ops/examples/pool.h"
#include "ops/examples/reduce.h"
#include "ops/examples/shape.h"

namespace octet::test {

/// Every example, the families one after the other; an operator that is added needs some here.
inline const std::vector<OpExample>& op_examples() {
  static const std::vector<OpExample> examples = [] {
    std::vector<OpExample> all;
    for (auto family :
         {activation_examples, conv_examples, elementwise_examples, layout_examples,
          matmul_examples, norm_examples, pool_examples, reduce_examples, shape_examples}) {
      std::ranges::move(family(), std::back_inserter(all));
    }
    return all;
  }();
  return examples;
}

}  // namespace octet::test
