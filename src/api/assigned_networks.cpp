#include "api/assigned_networks.h"

#include <algorithm>

#include "api/methods.h"
#include "base/fail.h"
#include "formats/tflite/writer.h"
#include "quant/calibrate.h"
#include "quant/override.h"
#include "quant/regroup.h"
#include "quant/widths.h"

namespace octet {
namespace {

/// The target's files can compute all of the layer in float.
bool computes_in_float(const Graph& graph, const Layer& layer, const TargetSet& targets) {
  const bool lite = std::ranges::any_of(targets.profiles(), [](const TargetProfile* target) {
    return target->extension == ".tflite";
  });
  return !lite || std::ranges::all_of(layer.nodes, [&](NodeId id) {
    return writes_real_tflite(graph.node(id).op);
  });
}

}  // namespace

AssignedNetworks::AssignedNetworks(Graph graph, CalibrationImages images, AssignedSettings settings)
    : graph_(std::move(graph)), images_(std::move(images)), settings_(std::move(settings)) {
  check_input(graph_, images_.dataset);
}

CalibrationSettings AssignedNetworks::settings_of(const Assignment& assignment) const {
  CalibrationSettings settings = settings_.calibration;
  settings.observer = assignment.observer;
  settings.methods = assignment.methods;
  return settings;
}

AssignedNetworks::Base& AssignedNetworks::base(const Assignment& assignment,
                                               const ProgressSink& progress) {
  const std::pair key(assignment.methods, assignment.activation_bits);
  if (const auto it = bases_.find(key); it != bases_.end()) return it->second;
  DeploymentChoice choice = settings_.deployment;
  if (assignment.activation_bits == 16) choice.targets = {"tflite-int16x8"};
  choice.activation_bits = assignment.activation_bits;
  const CalibrationSettings settings = settings_of(assignment);
  const auto methods = methods_named(assignment.methods, true);
  const Prepare prepare = [&](Graph& fused, std::vector<std::string>& notes) {
    run_preparing(methods, fused, {&images_, settings, progress, notes});
  };
  Deployment deployment = deployment_of(choice);
  QuantizedNetwork network = place_network(graph_, deployment, prepare);
  refuse_float(network, deployment.targets);
  std::string pixels;
  if (deployment.form.io != Io::Float) pixels = pixels_of_input(network, images_.source);
  Base made{.deployment = std::move(deployment),
            .network = std::move(network),
            .layers = {},
            .alone = {},
            .seen = std::nullopt,
            .pixels = std::move(pixels)};
  made.layers = layers_of(made.network.graph, made.network.placement);
  made.alone = each_alone(made.network.graph, made.network.placement);
  return bases_.emplace(key, std::move(made)).first->second;
}

const std::vector<Layer>& AssignedNetworks::layers(const Assignment& assignment,
                                                   const ProgressSink& progress) {
  return base(assignment, progress).layers;
}

const Graph& AssignedNetworks::graph(const Assignment& assignment, const ProgressSink& progress) {
  return base(assignment, progress).network.graph;
}

const Deployment& AssignedNetworks::deployment(const Assignment& assignment,
                                               const ProgressSink& progress) {
  return base(assignment, progress).deployment;
}

AssignedNetworks::Placed AssignedNetworks::placed(const Base& base,
                                                  std::vector<Override> overrides) {
  Placed made{.network = base.network};
  made.network.overrides = std::move(overrides);
  check_overrides(base.deployment.targets, base.deployment.scheme, made.network.overrides);
  made.lowered = place_nodes(made.network, base.deployment);
  return made;
}

const std::set<std::string>& AssignedNetworks::never_wide(Base& base) {
  if (!base.never_wide) {
    base.never_wide.emplace();
    const QuantizedNetwork wide =
        placed(base, {{.nodes = "*", .compute = Override::Compute::Int16}}).network;
    for (const auto& [id, reason] : wide.placement.in_float) {
      base.never_wide->insert(wide.graph.node(id).name);
    }
  }
  return *base.never_wide;
}

AssignedNetworks::Placed AssignedNetworks::placed(Base& base, const Assignment& assignment) const {
  const Graph& graph = base.network.graph;
  std::vector<Override> overrides;
  for (const Layer& layer : base.layers) {
    const bool wide = std::ranges::contains(assignment.on_16_bits, layer.name);
    const bool real = std::ranges::contains(assignment.in_float, layer.name) &&
                      computes_in_float(graph, layer, base.deployment.targets);
    if (!wide && !real) continue;
    for (const NodeId id : layer.nodes) {
      const std::string& node = graph.node(id).name;
      if (wide && never_wide(base).contains(node)) continue;
      overrides.push_back(
          {.nodes = node, .compute = wide ? Override::Compute::Int16 : Override::Compute::Float});
    }
  }
  if (overrides.empty()) return {.network = base.network};
  Placed made = placed(base, std::move(overrides));
  refuse_float(made.network, base.deployment.targets);
  if (base.deployment.form.io != Io::Float) pixels_of_input(made.network, images_.source);
  return made;
}

AssignedNodes AssignedNetworks::nodes_of(const Assignment& assignment,
                                         const ProgressSink& progress) {
  const QuantizedNetwork network = placed(base(assignment, progress), assignment).network;
  AssignedNodes nodes;
  const auto chosen = chosen_by_node(network.graph, network.overrides);
  for (const NodeId id : nodes_on_16_bits(network.graph, network.placement.scheme, chosen)) {
    nodes.on_16_bits.push_back(network.graph.node(id).name);
  }
  for (const auto& [id, unused] : network.placement.in_float) {
    nodes.in_float.push_back(network.graph.node(id).name);
  }
  std::ranges::sort(nodes.on_16_bits);
  std::ranges::sort(nodes.in_float);
  return nodes;
}

QuantizedNetwork AssignedNetworks::make(const Assignment& assignment,
                                        const ProgressSink& progress) {
  Base& made = base(assignment, progress);
  const CalibrationSettings settings = settings_of(assignment);
  if (!made.seen) made.seen = look_at(made.network.graph, made.alone, images_, settings, progress);
  auto [network, lowered] = placed(made, assignment);
  Calibration seen = lowered
                         ? look_at(network.graph, network.placement, images_, settings, progress)
                         : regroup(network.graph, network.placement, made.alone, *made.seen);
  return solve_network(
      {.network = std::move(network), .seen = std::move(seen), .pixels = made.pixels},
      made.deployment, settings, &images_, progress);
}

}  // namespace octet
