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

/// MatMul by a constant matrix, with the Add of a row and the Relu behind it, becomes Gemm between
/// two Reshapes: the form that has a 32-bit bias.
size_t flatten_matmul(Graph& graph);
/// Mul and Add by one number per column, which only Gemms read (perhaps through operators that move
/// whole rows), go into the weights and biases of these: the affine end of a LayerNormalization.
size_t fold_forward(Graph& graph);
/// Constants that mask scores before a Softmax (-inf, -1e9, -100) become -24: as good as 0 after
/// it, and the scores keep a fine grid.
size_t bound_masks(Graph& graph);
/// Softmax over another axis than the last one becomes Transpose, Softmax, Transpose.
size_t move_softmax_last(Graph& graph);

/// Equal nodes (operator, attributes, operands) are computed once, and equal constants of whole
/// numbers are kept once.
size_t merge_duplicates(Graph& graph);
/// Expand, and Tile that only repeats dimensions of one, before an operator that broadcasts anyway.
size_t remove_broadcasts(Graph& graph);

// Rules of "what to match, what to put" (rewrite.h), one file of them per subject. They want shapes
// to be known, and leave a place alone where they are not.

/// Powers in their plain form (Mul, Sqrt, Reciprocal), operators that do nothing, and Softmax,
/// Softplus and Sigmoid from their exponentials.
size_t simplify_arithmetic(Graph& graph);
/// Transpose, Reshape, Slice, Cast and reductions that do nothing or follow each other.
size_t simplify_layout(Graph& graph);
/// Pad before a convolution or pooling becomes its pads.
size_t fold_padding(Graph& graph);
/// Relu, Clip, HardSigmoid, HardSwish, Gelu and Mish from their parts.
size_t fuse_activations(Graph& graph);
/// LayerNormalization, RMSNormalization, GroupNormalization and LpNormalization from their parts.
size_t fuse_normalizations(Graph& graph);
/// Mul and Div by a number before a product or convolution, and by a number or one per column after
/// a product, go into its constant weight.
size_t fold_scales(Graph& graph);
/// BatchNormalization around a MatMul of matrices makes it a Gemm; before a Conv that sees no
/// padding, or a Gemm, it goes into their weights.
size_t fold_normalization_into_next(Graph& graph);

/// Rewrites operators that `supported` refuses to ones that compute the same, where such a form is
/// known: normalizations and reductions as matrix products and tables, HardSwish(x) = x * Clip(x /
/// 6
/// + 1/2, 0, 1), x - y = x + (-1) y, x / y = (x |y|^-1/2) (sign y |y|^-1/2), ... Where only
/// functions of one number are left they need no other form: a table computes them.
size_t lower_operators(Graph& graph, const std::function<bool(const Node& node)>& supported);

/// What was done, for the report: "fold_batch_normalization: 12".
using PassLog = std::vector<std::string>;

/// Whether what a pass made of a graph may stay; without one, everything may.
using Accept = std::function<bool(const Graph& before, const Graph& after)>;

/// The passes that any network goes through once read, in order; types and shapes are known after.
/// A pass whose result is not accepted is undone, each time that it runs.
PassLog simplify(Graph& graph, const Accept& accept = {});

/// Lowering for a set of targets, and what it opens up. A pass whose result is not accepted is
/// undone.
PassLog lower(Graph& graph, const std::function<bool(std::string_view op)>& supported,
              const Accept& accept = {});

}  // namespace octet
