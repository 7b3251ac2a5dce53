#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace octet {

// Each pass rewrites a graph into one that computes the same (relative error <= 1e-5) and returns
// how many places it changed. Structure is edited by passes alone, before quantization is placed.

/// A network exported for a fixed batch takes any: the first dimension of its inputs is opened, and
/// reshapes to it keep the batch that comes in.
size_t open_batch(Graph& graph);
/// Identity, and Dropout (which does nothing once a network is trained), leave.
size_t remove_identity(Graph& graph);
/// Nodes whose inputs are all constants become constants.
size_t fold_constants(Graph& graph);
/// What exporters compute with shapes (Shape, Gather, Concat, ...) becomes constants; in the target
/// of a Reshape the dimension that follows the batch becomes -1.
size_t freeze_shapes(Graph& graph);
/// BatchNormalization after a Conv or Gemm that nobody else reads goes into its weight and bias.
size_t fold_batch_normalization(Graph& graph);
/// Mul and Add by a scalar or per-channel constant after a Conv or Gemm that nobody else reads go
/// into its weight and bias.
size_t fold_affine(Graph& graph);
/// MatMul of a matrix by a constant, then Add of a constant row, becomes Gemm.
size_t fuse_matmul_bias(Graph& graph);
/// Every weighted operator gets weights of its own, so that each can have its own scales.
size_t unshare_constants(Graph& graph);
/// Pooling in the form that has the freest grids: ReduceMean over the image, and AveragePool of the
/// whole image, become GlobalAveragePool.
size_t canonicalize_pooling(Graph& graph);

/// Rewrites operators that `supported` refuses to ones that compute the same, where such a form is
/// known: HardSigmoid(x) = Clip(alpha x + beta, 0, 1); HardSwish(x) = x * HardSigmoid(x) with
/// alpha 1/6; Sub of a constant = Add; Div by a constant = Mul.
size_t lower_operators(Graph& graph, const std::function<bool(std::string_view op)>& supported);

/// What was done, for the report: "fold_batch_normalization: 12".
using PassLog = std::vector<std::string>;

/// The passes that any network goes through once read, in order; types and shapes are known after.
PassLog simplify(Graph& graph);

/// Lowering for a set of targets, and what it opens up.
PassLog lower(Graph& graph, const std::function<bool(std::string_view op)>& supported);

}  // namespace octet
