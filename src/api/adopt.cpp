#include "api/adopt.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "base/text.h"
#include "graph/quantize_tensor.h"
#include "quant/added_bias.h"
#include "quant/channels/prepared.h"
#include "quant/exact_reals.h"
#include "quant/lookup.h"
#include "quant/stretches.h"

namespace octet {
namespace {

class Adopter {
 public:
  Adopter(QuantizedNetwork& network, const StoredFile& file)
      : graph_(network.graph), placement_(network.placement), table_(network.table), file_(file) {
    for (const StoredTensor& tensor : file.tensors) stored_.try_emplace(tensor.name, &tensor);
  }

  void run() {
    take_added_biases();
    for (const Group& group : placement_.groups) take_grid(group);
    for (const auto& [id, group] : placement_.group_of) {
      if (graph_.is_constant(id)) take_constant(id);
    }
    take_real_constants();
    for (const auto& [result, chain] : placement_.chains) take_table(result, chain);
    for (const auto& [id, reason] : placement_.in_float) table_.set_in_float(id);
    check_rest();
  }

 private:
  const std::string& name(ValueId id) const { return graph_.value(id).name; }
  const StoredTensor* find(ValueId id) const {
    const auto it = stored_.find(name(id));
    return it == stored_.end() ? nullptr : it->second;
  }

  template <class... Args>
  [[noreturn]] void refuse(std::format_string<Args...> format, Args&&... args) const {
    fail(Code::Model, "{} is a file of another network: {}; give the network that it was made from",
         file_.path.string(), std::format(format, std::forward<Args>(args)...));
  }

  /// A correction of biases has given one to layers that had none.
  void take_added_biases() {
    for (const NodeId id : graph_.order()) {
      const Node& node = graph_.node(id);
      if (!takes_bias(node) || weight_of(graph_, id, placement_) == kAbsent) continue;
      const auto it = stored_.find(added_bias_name(node));
      if (node.input(2) != kAbsent || it == stored_.end() || !it->second->constant) continue;
      add_bias(graph_, placement_, id, it->second->constant->size());
    }
  }

  void take_grid(const Group& group) {
    const StoredTensor* source = nullptr;
    for (const ValueId id : group.members) {
      const StoredTensor* held = find(id);
      // What merely moves is read in place where a format needs no operator for it, and what is
      // clipped on its own grid may be taken in by the operator before.
      const bool needless = placement_.exact.contains(id) || placement_.clipped_later.contains(id);
      if (!held && !needless) {
        refuse("it has no tensor '{}', which the network has", name(id));
      }
      if (!held || held->scale.empty()) continue;
      if (source && (source->scale != held->scale || source->zero_point != held->zero_point)) {
        refuse("'{}' and '{}' have different grids, which are one in the network", source->name,
               held->name);
      }
      if (!source) source = held;
    }
    const QuantParams params = source ? params_of(group, *source) : derived_params(group);
    for (const ValueId id : group.members) table_.set(id, params);
  }

  QuantParams params_of(const Group& group, const StoredTensor& held) const {
    QuantParams params{
        .scale = held.scale, .zero_point = held.zero_point, .origin = Origin::Imported};
    DType wanted = DType::Int8;
    if (const auto* weight = std::get_if<WeightGrid>(&group.rule)) {
      params.axis = weight->axis;
      params.low = weight_bounds(group.scheme).low;
      params.high = weight_bounds(group.scheme).high;
    } else if (std::holds_alternative<BiasGrid>(group.rule)) {
      wanted = DType::Int32;
      params.axis = bias_axis(std::get<BiasGrid>(group.rule));
      params.low = static_cast<int32_t>(lowest(wanted));
      params.high = static_cast<int32_t>(highest(wanted));
      params.origin = Origin::Derived;
    } else if (std::holds_alternative<Rescaled>(group.rule)) {
      params.origin = Origin::Derived;
    }
    params.type = wanted;
    const DType type = held.type == DType::UInt8 ? DType::Int8 : held.type;
    if (type != wanted || (params.per_tensor() && params.scale.size() != 1)) {
      refuse("'{}' is {} with {} scales there, and {} in the network", held.name,
             name_of(held.type), held.scale.size(),
             params.per_tensor() ? std::format("{} with one", name_of(wanted))
                                 : std::format("{} with one for each channel", name_of(wanted)));
    }
    return params;
  }

  /// A bias has as many scales as its weight.
  int bias_axis(const BiasGrid& rule) const {
    const size_t weight = placement_.group_of.at(rule.weight);
    return std::get<WeightGrid>(placement_.groups[weight].rule).axis < 0 ? -1 : 0;
  }

  /// A group of which the file says no grid: that of its source, rescaled, where it is one.
  QuantParams derived_params(const Group& group) const {
    const auto* rescaled = std::get_if<Rescaled>(&group.rule);
    if (!rescaled) {
      refuse("it does not say the scale of '{}', which the network has", name(group.members[0]));
    }
    QuantParams params = table_.at(rescaled->source, graph_);
    params.scale[0] = static_cast<float>(static_cast<double>(params.scale[0]) * rescaled->factor);
    params.origin = Origin::Derived;
    return params;
  }

  void take_constant(ValueId id) {
    Value& value = graph_.value(id);
    const StoredTensor* held = find(id);
    if (!held || !held->constant) {
      refuse("it has no constant '{}', which the network has", value.name);
    }
    const QuantParams& params = table_.at(id, graph_);
    const bool fits =
        params.per_tensor() || (static_cast<size_t>(params.axis) < value.shape.size() &&
                                value.shape[static_cast<size_t>(params.axis)] ==
                                    static_cast<int64_t>(params.scale.size()));
    std::vector<LaidOut> candidates = laid_out(*held, value.constant->shape);
    if (candidates.empty() || !fits) {
      refuse("'{}' is {} with {} scales there, and {} in the network", value.name,
             shape_text(held->constant->shape), held->scale.size(),
             shape_text(value.constant->shape));
    }
    const Tensor& integers = nearest(candidates, *value.constant, params);
    std::optional<Tensor> reals = exact_reals(integers, params);
    if (!reals) {
      fail(Code::Unsupported,
           "{}: '{}' holds integers that no real number is rounded to; wanted a file that octet "
           "wrote",
           file_.path.string(), value.name);
    }
    value.constant = std::move(*reals);
  }

  /// Where a file leaves open in which order a constant lies, the one that is most like the float
  /// network's.
  static const Tensor& nearest(const std::vector<LaidOut>& candidates, const Tensor& real,
                               const QuantParams& params) {
    const Tensor* best = &candidates[0].constant;
    double least = std::numeric_limits<double>::infinity();
    for (const LaidOut& candidate : candidates) {
      if (candidates.size() == 1) break;
      const bool is_real = candidate.constant.dtype == DType::Float32;
      const Tensor made = is_real ? candidate.constant : dequantize(candidate.constant, params);
      double distance = 0;
      for (size_t i = 0; i < made.as<float>().size(); ++i) {
        distance += std::abs(double{made.as<float>()[i]} - real.as<float>()[i]);
      }
      if (distance >= least) continue;
      least = distance;
      best = &candidate.constant;
    }
    return *best;
  }

  /// Of nodes that compute in float.
  void take_real_constants() {
    for (const StoredTensor& held : file_.tensors) {
      if (held.quantized() || !held.constant) continue;
      const auto id = graph_.find(held.name);
      if (!id || !graph_.is_constant(*id)) {
        if (file_.format == "TFLite" && !reason_of_format(held, file_.format).empty()) continue;
        refuse("it has a constant '{}', which the network has not", held.name);
      }
      Value& value = graph_.value(*id);
      const std::vector<LaidOut> candidates = laid_out(held, value.constant->shape);
      if (value.dtype != DType::Float32 || candidates.empty()) {
        refuse("'{}' is float32[{}] there, and {}[{}] in the network", held.name,
               shape_text(held.constant->shape), name_of(value.dtype),
               shape_text(value.constant->shape));
      }
      value.constant = nearest(candidates, *value.constant, {});
    }
  }

  void take_table(ValueId result, const Chain& chain) {
    const StoredTensor* held = find(result);
    const QuantParams& in = table_.at(chain.source, graph_);
    Lookup lookup{.source = chain.source, .entries = {}, .nodes = chain.nodes};
    if (held && !held->table.empty()) {
      lookup.entries = held->table;
    } else if (file_.format == "TFLite" && chain.nodes.size() == 1) {
      lookup.entries = tabulate(graph_, chain, in, table_.at(result, graph_));
    } else {
      refuse("'{}' has no table, as it has in the network", name(result));
    }
    if (static_cast<int64_t>(lookup.entries.size()) != int64_t{in.high} - in.low + 1) {
      refuse("the table of '{}' has {} entries; wanted {}", name(result), lookup.entries.size(),
             int64_t{in.high} - in.low + 1);
    }
    table_.set_lookup(result, std::move(lookup));
  }

  /// What the network does not have.
  void check_rest() const {
    for (const StoredTensor& held : file_.tensors) {
      if (!held.quantized()) continue;
      const auto id = graph_.find(held.name);
      const bool known = id && placement_.group_of.contains(*id);
      if (known && (held.table.empty() || placement_.chains.contains(*id))) continue;
      if (!known && file_.format == "TFLite" && !reason_of_format(held, file_.format).empty()) {
        continue;
      }
      refuse("it has a {} '{}', which the network has not", known ? "table for" : "tensor",
             held.name);
    }
  }

  Graph& graph_;
  Placement& placement_;
  QuantTable& table_;
  const StoredFile& file_;
  std::map<std::string_view, const StoredTensor*> stored_;
};

}  // namespace

QuantizedNetwork adopt(Graph graph, const StoredFile& file) {
  const Deployment deployment = deployment_in(file.properties, file.path);
  const bool wide =
      std::ranges::contains(deployment.overrides, Override::Compute::Int16, &Override::compute);
  if (wide || deployment.scheme.activation_bits != 8) {
    fail(Code::Unsupported,
         "{}: networks of 16-bit activations are not taken back from their files; give its .octet "
         "file",
         file.path.string());
  }
  const auto prepared = file.properties.find("octet.prepared");
  const Prepare prepare = [&](Graph& fused, std::vector<std::string>&) {
    if (prepared != file.properties.end()) prepare_structure(fused, prepared->second);
  };
  QuantizedNetwork network = place_network(std::move(graph), deployment, prepare);
  const auto seed = file.properties.find("octet.seed");
  if (seed != file.properties.end()) {
    const std::string& digits = seed->second;
    std::from_chars(digits.data(), digits.data() + digits.size(), network.seed);
  }
  Adopter(network, file).run();
  return network;
}

}  // namespace octet
