#include <array>
#include <format>

#include "engine/executor.h"
#include "passes/passes.h"

namespace octet {
namespace {

void note(PassLog& log, std::string_view pass, size_t places) {
  if (places > 0) log.push_back(std::format("{}: {}", pass, places));
}

struct Pass {
  std::string_view name;
  size_t (*run)(Graph&);
};

// Identities first: they stand between the operators that the others look for. Constants before
// foldings, which want constant operands.
constexpr std::array kSimplify{
    Pass{"remove_identity", remove_identity},
    Pass{"fold_constants", fold_constants},
    Pass{"open_batch", open_batch},
    Pass{"freeze_shapes", freeze_shapes},
    Pass{"unshare_constants", unshare_constants},
    Pass{"fold_batch_normalization", fold_batch_normalization},
};

}  // namespace

PassLog simplify(Graph& graph) {
  PassLog log;
  graph.sort();
  for (const Pass& pass : kSimplify) note(log, pass.name, pass.run(graph));
  note(log, "remove_dead", graph.remove_dead());
  infer_shapes(graph);
  return log;
}

PassLog lower(Graph& graph, const std::function<bool(std::string_view op)>& supported) {
  PassLog log;
  note(log, "canonicalize_pooling", canonicalize_pooling(graph));
  note(log, "fuse_matmul_bias", fuse_matmul_bias(graph));
  note(log, "lower_operators", lower_operators(graph, supported));
  // After lowering: HardSigmoid's slope and offset are now a Mul and an Add after a convolution.
  note(log, "fold_affine", fold_affine(graph));
  note(log, "remove_dead", graph.remove_dead());
  infer_shapes(graph);
  return log;
}

}  // namespace octet
