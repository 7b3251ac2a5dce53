#include "api/assigned_networks.h"

#include <algorithm>

#include "api/methods.h"
#include "base/fail.h"
#include "quant/calibrate.h"
#include "quant/override.h"
#include "quant/regroup.h"

namespace octet {
namespace {

std::vector<Override> overrides_of(const Graph& graph, const std::vector<Layer>& layers,
                                   const std::vector<std::string>& in_float) {
  std::vector<Override> overrides;
  for (const Layer& layer : layers) {
    if (!std::ranges::contains(in_float, layer.name)) continue;
    for (const NodeId id : layer.nodes) {
      overrides.push_back({.nodes = graph.node(id).name, .compute = Override::Compute::Float});
    }
  }
  return overrides;
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

QuantizedNetwork AssignedNetworks::placed(Base& base, const Assignment& assignment) const {
  QuantizedNetwork network = base.network;
  if (assignment.in_float.empty()) return network;
  network.overrides = overrides_of(network.graph, base.layers, assignment.in_float);
  check_overrides(base.deployment.targets, base.deployment.scheme, network.overrides);
  network.placement = place(network.graph, base.deployment.targets, base.deployment.scheme, {},
                            network.overrides, base.deployment.form.io);
  if (base.deployment.form.io != Io::Float) pixels_of_input(network, images_.source);
  network.in_float = lines_in_float(network.graph, network.placement);
  return network;
}

std::vector<std::string> AssignedNetworks::nodes_in_float(const Assignment& assignment,
                                                          const ProgressSink& progress) {
  const QuantizedNetwork network = placed(base(assignment, progress), assignment);
  std::vector<std::string> names;
  for (const auto& [id, unused] : network.placement.in_float) {
    names.push_back(network.graph.node(id).name);
  }
  std::ranges::sort(names);
  return names;
}

QuantizedNetwork AssignedNetworks::make(const Assignment& assignment,
                                        const ProgressSink& progress) {
  Base& made = base(assignment, progress);
  const CalibrationSettings settings = settings_of(assignment);
  if (!made.seen) made.seen = look_at(made.network.graph, made.alone, images_, settings, progress);
  QuantizedNetwork network = placed(made, assignment);
  Calibration seen = regroup(network.graph, network.placement, made.alone, *made.seen);
  return solve_network(
      {.network = std::move(network), .seen = std::move(seen), .pixels = made.pixels},
      made.deployment, settings, &images_, progress);
}

}  // namespace octet
