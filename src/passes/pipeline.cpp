#include <algorithm>
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

// Once, for they make the graph what the rest can read. Identities first: they stand between the
// operators that the others look for.
constexpr std::array kPrepare{
    Pass{"remove_identity", remove_identity},
    Pass{"fold_constants", fold_constants},
    Pass{"open_batch", open_batch},
    Pass{"freeze_shapes", freeze_shapes},
};

// In rounds, until none changes anything: a fusion may need what another one left. Constants before
// foldings, which want constant operands; duplicates before patterns, for an operand that was
// computed twice is one value; plain forms before the fusions that look for them; folding into the
// operator in front before folding into the one behind.
constexpr std::array kSimplify{
    Pass{"fold_constants", fold_constants},
    Pass{"merge_duplicates", merge_duplicates},
    Pass{"remove_broadcasts", remove_broadcasts},
    Pass{"simplify_arithmetic", simplify_arithmetic},
    Pass{"simplify_layout", simplify_layout},
    Pass{"fuse_activations", fuse_activations},
    Pass{"fuse_normalizations", fuse_normalizations},
    Pass{"fold_padding", fold_padding},
    Pass{"unshare_constants", unshare_constants},
    Pass{"fold_batch_normalization", fold_batch_normalization},
    Pass{"fold_scales", fold_scales},
    Pass{"fold_normalization_into_next", fold_normalization_into_next},
};

/// Runs a pass, or leaves the graph as it was where the result is not accepted.
template <class Run>
size_t run_guarded(Run run, Graph& graph, const Accept& accept) {
  if (!accept) return run(graph);
  Graph changed = graph;
  const size_t places = run(changed);
  if (places == 0 || !accept(graph, changed)) return 0;
  graph = std::move(changed);
  return places;
}

/// How often each pass changed something.
class Tally {
 public:
  explicit Tally(const Accept& accept) : accept_(accept) {}

  template <size_t N>
  size_t run(const std::array<Pass, N>& passes, Graph& graph) {
    size_t changed = 0;
    for (const Pass& pass : passes) {
      const size_t places = run_guarded(pass.run, graph, accept_);
      changed += places;
      const auto it = std::ranges::find(counts_, pass.name, &Count::first);
      if (it == counts_.end())
        counts_.emplace_back(pass.name, places);
      else
        it->second += places;
    }
    return changed;
  }
  PassLog log() const {
    PassLog lines;
    for (const auto& [pass, places] : counts_) note(lines, pass, places);
    return lines;
  }

 private:
  using Count = std::pair<std::string_view, size_t>;
  const Accept& accept_;
  std::vector<Count> counts_;  ///< in the order of the first runs
};

/// Whether all values that live nodes make have shapes.
bool shapes_known(const Graph& graph) {
  return std::ranges::all_of(graph.order(), [&](NodeId id) {
    return std::ranges::all_of(graph.node(id).outputs, [&](ValueId out) {
      return out == kAbsent || graph.value(out).shape_known;
    });
  });
}

}  // namespace

PassLog simplify(Graph& graph, const Accept& accept) {
  Tally tally(accept);
  graph.sort();
  tally.run(kPrepare, graph);
  const size_t unread = graph.remove_dead();
  infer_shapes(graph);
  while (tally.run(kSimplify, graph) > 0) {
    if (!shapes_known(graph)) infer_shapes(graph);
  }
  PassLog log = tally.log();
  note(log, "remove_dead", unread + graph.remove_dead());
  return log;
}

PassLog lower(Graph& graph, const std::function<bool(std::string_view op)>& supported,
              const Accept& accept) {
  PassLog log;
  const auto apply = [&](std::string_view pass, auto run) {
    note(log, pass, run_guarded(run, graph, accept));
  };
  apply("canonicalize_pooling", canonicalize_pooling);
  apply("fuse_matmul_bias", fuse_matmul_bias);
  apply("flatten_matmul", flatten_matmul);
  infer_shapes(graph);
  const auto stays = [&](const Node& node) { return supported(node.op); };
  apply("lower_operators", [&](Graph& whole) { return lower_operators(whole, stays); });
  apply("bound_masks", bound_masks);
  apply("move_softmax_last", move_softmax_last);
  // After lowering: HardSigmoid's slope and offset are now a Mul and an Add after a convolution,
  // and LayerNormalization's scale and bias before a product.
  apply("fold_affine", fold_affine);
  apply("fold_forward", fold_forward);
  // Zeros that a bias shares with an Add would be on two grids at once.
  apply("unshare_constants", unshare_constants);
  note(log, "remove_dead", graph.remove_dead());
  infer_shapes(graph);
  return log;
}

}  // namespace octet
