#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "ops/op_def.h"

namespace octet {

/// What happens to each tensor on its way. The base class does nothing: a float run. Calibration
/// looks, simulation and QAT quantize; a runtime's exact integers replace `evaluate`.
class Interpretation {
 public:
  virtual ~Interpretation() = default;
  /// A constant on its way into a node.
  virtual at::Tensor constant(ValueId id, const at::Tensor& tensor);
  /// A graph input, or the output of a node, before anyone reads it.
  virtual at::Tensor activation(ValueId id, const at::Tensor& tensor);
  /// One node.
  virtual std::vector<at::Tensor> evaluate(const OpDef& op, const OpCall& call);
};

/// Some nodes of a graph, in its order, that run alone: from values that others make to those that
/// are wanted.
struct Part {
  std::vector<NodeId> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
};

/// Runs a graph with LibTorch: the one executor that serves calibration, simulation and training.
/// It keeps the graph's constants as tensors (image weights channels-last), which training updates
/// in place; the graph itself is only read and must not change its structure meanwhile.
class Executor {
 public:
  /// Throws Code::Unsupported naming the first node that it cannot run.
  explicit Executor(const Graph& graph);
  /// Runs a part of the graph alone, and holds its constants alone.
  Executor(const Graph& graph, Part part);

  /// The outputs for `inputs` (in the order of the graph's inputs, float tensors NCHW). With
  /// `training`, statistics are taken from the batch. Errors of LibTorch name the node.
  std::vector<at::Tensor> run(std::span<const at::Tensor> inputs, Interpretation& interpretation,
                              bool training = false);

  /// Constants that a gradient may move (float tensors of weighted, normalizing and elementwise
  /// operators; no running statistics, single numbers, bounds or shapes), by value.
  std::map<ValueId, at::Tensor> parameters() const;
  const at::Tensor& constant(ValueId id) const { return constants_.at(id); }
  /// All constants, for saving and restoring the best epoch.
  std::map<ValueId, at::Tensor> snapshot() const;
  void restore(const std::map<ValueId, at::Tensor>& saved);
  /// Copies the float constants into a graph of the same structure.
  void write_back(Graph& graph) const;

 private:
  struct Work {
    const Node* node;
    const OpDef* op;
    std::vector<ValueId> last_read;  ///< activations that nobody reads after this node
  };
  const Graph& graph_;
  Part part_;
  std::vector<Work> works_;
  std::map<ValueId, at::Tensor> constants_;
};

/// Fills in the types and shapes of all values by running the graph on one and on two zero images:
/// dimensions that differ depend on the batch and become -1. Values keep what is already known.
void infer_shapes(Graph& graph);

/// The outputs of a node all of whose inputs are constants.
std::vector<Tensor> evaluate_constant(const Graph& graph, const Node& node);

/// The computed values of whole numbers that depend on shapes alone (and not on images or tokens)
/// when the network runs on `batch` zero images.
std::map<ValueId, Tensor> computed_integers(const Graph& graph, int64_t batch);

at::Tensor to_torch(const Tensor& tensor);  ///< a copy
Tensor from_torch(const at::Tensor& tensor);

}  // namespace octet
