#include <algorithm>
#include <map>
#include <set>

#include "api/stages.h"
#include "base/fail.h"
#include "octet/octet.h"

namespace octet {
namespace {

std::string version_text(const TargetProfile& target) {
  return std::format("{} {}.{}", target.runtime, target.version.major, target.version.minor);
}

std::string scheme_text(const TargetProfile& target) {
  const bool fine = target.weights() == Scheme::Weights::PerChannel;
  return std::format("weights per {}, {} at the ends", fine ? "channel" : "tensor",
                     target.io == Io::Float ? "float" : "int8");
}

/// Makes something that flows.
bool flows(const Graph& graph, const Node& node) {
  return std::ranges::any_of(node.outputs, [&](ValueId out) {
    return out != kAbsent && graph.value(out).dtype == DType::Float32;
  });
}

std::vector<OperatorRow> rows_of(const QuantizedNetwork& network, bool refused) {
  std::set<NodeId> looked_up;
  for (const auto& [result, chain] : network.placement.chains) {
    looked_up.insert(chain.nodes.begin(), chain.nodes.end());
  }
  std::map<std::pair<std::string, std::string>, int64_t> counts;
  for (const NodeId id : network.graph.order()) {
    const Node& node = network.graph.node(id);
    if (!flows(network.graph, node)) continue;
    const bool in_float = network.placement.in_float.contains(id);
    ++counts[{node.op, in_float                 ? (refused ? "refused" : "float32")
                       : looked_up.contains(id) ? "int8 table"
                                                : "int8"}];
  }
  std::vector<OperatorRow> rows;
  for (const auto& [key, count] : counts) rows.push_back({key.first, count, key.second});
  std::ranges::stable_sort(rows, std::greater{}, &OperatorRow::count);
  return rows;
}

}  // namespace

std::vector<TargetRow> targets() {
  std::vector<TargetRow> rows;
  for (const TargetProfile& target : all_targets()) {
    rows.push_back({std::string(target.name), std::string(target.format), scheme_text(target),
                    version_text(target), std::string(target.purpose)});
  }
  return rows;
}

Plan plan(const std::filesystem::path& model, const PlanOptions& options) {
  const Deployment deployment = deployment_of({.targets = options.targets});
  if (model.extension() != ".onnx") {
    fail(Code::Usage, "{}: wanted a float .onnx network to plan for targets", model.string());
  }
  const QuantizedNetwork network =
      place_network(read_network(model, parse_input_shapes(options.shapes)), deployment);
  Plan made{.passes = network.log, .operators = {}, .reasons = {}};
  made.refused = !network.in_float.empty() &&
                 std::ranges::any_of(deployment.targets.profiles(), [](const auto* target) {
                   return target->float_nodes != FloatNodes::Any;
                 });
  made.operators = rows_of(network, made.refused);
  for (const auto& [id, reason] : network.placement.in_float) {
    made.reasons.push_back(std::format("{}: {}", describe(network.graph.node(id)), reason));
  }
  return made;
}

}  // namespace octet
