#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <set>

#include "graph/graph.h"
#include "quant/calibrate.h"

namespace octet {

/// Of each of these values, read as rows along its last axis, the Gram matrix: the mean of x^T x
/// over all rows that the calibration images (or tokens) make, [K, K] in double. One pass; the
/// memory is that of the matrices, whatever the number of images. Throws Code::Numeric naming a
/// value that is not finite, Code::Data when there are no images.
std::map<ValueId, at::Tensor> gram_matrices(const Graph& graph, const std::set<ValueId>& values,
                                            const NextImages& next);

}  // namespace octet
