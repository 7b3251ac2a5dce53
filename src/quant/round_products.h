#pragma once

#include <functional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/group_grid.h"
#include "quant/calibrate.h"
#include "quant/scheme.h"

namespace octet {

/// What rounding the weights of a network's products left: the constants are then what their codes
/// stand for, so that whoever runs the graph sees them.
struct RoundedProducts {
  GroupTable groups;
  int64_t looks = 0;  ///< at the calibration images
  /// Products that GPTQ leaves to the nearest, because their Gram matrix would be too large.
  std::vector<std::string> to_nearest;
};

/// Every weight of the products (group_weights.h) to the nearest code. Throws Code::Unsupported
/// where there are no products, Code::Numeric naming a weight that is not finite.
RoundedProducts round_products(Graph& graph, const Scheme::Groups& groups);

/// By GPTQ (gptq.h). Layers come one after the other, in the order of the graph: what one reads is
/// taken from the network whose layers before it are rounded already, by one more look at the
/// images, which `look` begins. At most 24 looks are made: a network of more values that products
/// read is rounded in parts, whose products do not know of one another. Gram matrices of one part
/// take 512 MB at most. Errors as above, and those of `gram_matrices`.
RoundedProducts round_products(Graph& graph, const Scheme::Groups& groups,
                               const std::function<NextImages()>& look);

}  // namespace octet
