#include "train/unit_learner.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/where.h>
#include <torch/optim/adam.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/dataset.h"
#include "data/random.h"

namespace octet {
namespace {

// The first part of the steps learns from the error alone; then what is undecided begins to count,
// far from the middle first (M. Nagel et al., 2020, section 3.2: beta falls).
constexpr double kFreeShare = 0.2;
constexpr double kFirstBeta = 20;
constexpr double kLastBeta = 2;

double beta_at(double share) {
  const double done = std::clamp((share - kFreeShare) / (1 - kFreeShare), 0.0, 1.0);
  return kLastBeta + (kFirstBeta - kLastBeta) * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

/// Some of the images; image tensors keep the channels last.
at::Tensor rows(const at::Tensor& all, const at::Tensor& chosen) {
  if (all.dim() != 4) return all.index_select(0, chosen);
  return all.permute({0, 2, 3, 1}).index_select(0, chosen).permute({0, 3, 1, 2});
}

}  // namespace

/// Random truth values, drawn once and read from another place each time.
class Coins {
 public:
  Coins(double share, uint64_t seed) : random_(seed) {
    if (share <= 0) return;
    coins_ = at::empty({kDrawnCoins}, at::kBool);
    bool* coins = coins_.mutable_data_ptr<bool>();
    constexpr uint64_t kParts = 1000000;
    const auto parts = static_cast<uint64_t>(share * static_cast<double>(kParts));
    for (int64_t i = 0; i < kDrawnCoins; ++i) coins[i] = random_.below(kParts) < parts;
  }
  bool any() const { return coins_.defined(); }
  /// One for each element, in its order in memory.
  at::Tensor like(const at::Tensor& tensor) {
    const int64_t count = tensor.numel();
    while (coins_.numel() < 2 * count) coins_ = at::cat({coins_, coins_});
    const auto first = static_cast<int64_t>(random_.below(static_cast<uint64_t>(count)));
    return coins_.as_strided(tensor.sizes(), tensor.strides(), first);
  }

 private:
  static constexpr int64_t kDrawnCoins = 1048573;
  Random random_;
  at::Tensor coins_;
};

/// The unit as it is deployed, but for its output where that is compared before rounding.
class UnitLearner::Rounded : public Simulation {
 public:
  explicit Rounded(const UnitLearner& learner)
      : Simulation(learner.graph_, learner.placement_, learner.table_), learner_(learner) {}
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    return plain(id) ? tensor : Simulation::activation(id, tensor);
  }

 protected:
  bool plain(ValueId id) const {
    return id == learner_.unit_.input ||
           (id == learner_.unit_.output && !learner_.settings_.ranges);
  }
  const UnitLearner& learner_;
};

class UnitLearner::Learning final : public Rounded {
 public:
  Learning(const UnitLearner& learner, uint64_t seed)
      : Rounded(learner), coins_(learner.settings_.drop, seed) {}

  at::Tensor constant(ValueId id, const at::Tensor& tensor) override {
    const auto rounding = learner_.roundings_.find(id);
    return rounding == learner_.roundings_.end() ? Simulation::constant(id, tensor)
                                                 : rounding->second.soft();
  }
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    if (plain(id)) return tensor;
    const at::Tensor rounded = round(id, tensor);
    const bool dropped = coins_.any() && id != learner_.unit_.output && !rounded.is_same(tensor) &&
                         tensor.is_non_overlapping_and_dense();
    return dropped ? at::where(coins_.like(tensor), tensor, rounded) : rounded;
  }
  /// The input with some of its values as they are in float (X. Wei et al., 2022, section 4.3).
  at::Tensor mixed(const at::Tensor& rounded, const at::Tensor& real) {
    return coins_.any() && real.defined() ? at::where(coins_.like(real), real, rounded) : rounded;
  }

 private:
  at::Tensor round(ValueId id, const at::Tensor& tensor) {
    const auto group = learner_.placement_.group_of.find(id);
    if (group == learner_.placement_.group_of.end() || learner_.placement_.exact.contains(id)) {
      return tensor;
    }
    const auto range = learner_.ranges_.find(group->second);
    return range == learner_.ranges_.end() ? Simulation::activation(id, tensor)
                                           : range->second.round(tensor);
  }
  Coins coins_;
};

UnitLearner::UnitLearner(const Graph& reference, Graph& graph, const Placement& placement,
                         QuantTable& table, const Stretch& unit, const UnitSettings& settings)
    : graph_(graph), placement_(placement), table_(table), unit_(unit), settings_(settings) {
  if (settings.ranges) find_ranges();
  if (!settings.rounding) return;
  const Executor constants(reference, {unit.nodes, {unit.input}, {unit.output}});
  for (const NodeId node : unit.nodes) {
    const ValueId weight = weight_of(graph, node, placement);
    const QuantParams* params = weight == kAbsent ? nullptr : table.find(weight);
    if (!params || params->type != DType::Int8 || params->origin == Origin::Imported) continue;
    const auto& rule = std::get<WeightGrid>(placement.groups[placement.group_of.at(weight)].rule);
    roundings_.try_emplace(weight, constants.constant(weight).clone(), *params, rule.pairs);
  }
}

/// Those of groups all of whose values the unit makes.
void UnitLearner::find_ranges() {
  std::map<size_t, size_t> made;
  for (const NodeId node : unit_.nodes) {
    for (const ValueId out : graph_.node(node).outputs) {
      const auto group = placement_.group_of.find(out);
      if (group != placement_.group_of.end()) ++made[group->second];
    }
  }
  for (const auto& [index, count] : made) {
    const Group& group = placement_.groups[index];
    const auto* bounds = std::get_if<FromData>(&group.rule);
    const QuantParams* params = table_.find(group.members[0]);
    if (!bounds || count != group.members.size() || !params) continue;
    if (params->origin == Origin::Imported || params->type != DType::Int8) continue;
    ranges_.try_emplace(index, *params, *bounds);
  }
}

double UnitLearner::error(const UnitData& data) const {
  const at::NoGradGuard no_grad;
  Rounded rounded(*this);
  Executor executor(graph_, {unit_.nodes, {unit_.input}, {unit_.output}});
  const int64_t count = data.wanted.size(0);
  const int64_t batch = std::max<int64_t>(1, settings_.batch * count / data.images);
  double sum = 0;
  for (int64_t first = 0; first < count; first += batch) {
    const int64_t some = std::min(batch, count - first);
    const at::Tensor input = data.rounded.narrow(0, first, some);
    const at::Tensor output = executor.run({&input, 1}, rounded).at(0);
    sum += at::mse_loss(output, data.wanted.narrow(0, first, some)).item<double>() *
           static_cast<double>(some);
  }
  return sum / static_cast<double>(count);
}

at::Tensor UnitLearner::step_loss(Executor& executor, Learning& learning, const UnitData& data,
                                  const at::Tensor& chosen, double error) const {
  const at::Tensor real = data.real.defined() ? rows(data.real, chosen) : at::Tensor();
  const at::Tensor input = learning.mixed(rows(data.rounded, chosen), real);
  const at::Tensor output = executor.run({&input, 1}, learning).at(0);
  return at::mse_loss(output, rows(data.wanted, chosen)) / error;
}

void UnitLearner::learn(const UnitData& data, double error) {
  std::vector<at::Tensor> choices;
  std::vector<at::Tensor> steps;
  for (const auto& [id, rounding] : roundings_) choices.push_back(rounding.variable());
  for (const auto& [index, range] : ranges_) steps.push_back(range.variable());
  std::vector<torch::optim::OptimizerParamGroup> groups;
  using Options = torch::optim::AdamOptions;
  if (!choices.empty()) groups.emplace_back(choices, std::make_unique<Options>(settings_.rate));
  if (!steps.empty()) groups.emplace_back(steps, std::make_unique<Options>(settings_.range_rate));
  torch::optim::Adam optimizer(groups, Options(settings_.rate));

  Learning learning(*this, settings_.seed);
  Executor executor(graph_, {unit_.nodes, {unit_.input}, {unit_.output}});
  const int64_t count = data.wanted.size(0);
  const int64_t batch = std::clamp<int64_t>(settings_.batch * count / data.images, 1, count);
  std::vector<int64_t> order;
  for (int64_t i = 0; i < settings_.iterations; ++i) {
    while (static_cast<int64_t>(order.size()) < batch) {
      const auto more = permutation(count, settings_.seed + static_cast<uint64_t>(i) * 1000003);
      order.insert(order.end(), more.begin(), more.end());
    }
    const at::Tensor chosen = at::from_blob(order.data(), {batch}, at::kLong).clone();
    order.erase(order.begin(), order.begin() + batch);
    optimizer.zero_grad();
    at::Tensor loss = step_loss(executor, learning, data, chosen, error);
    const double share = static_cast<double>(i) / static_cast<double>(settings_.iterations);
    if (share >= kFreeShare && !roundings_.empty()) {
      for (const auto& [id, rounding] : roundings_) {
        loss = loss + rounding.undecided(beta_at(share)) * settings_.decision;
      }
    }
    loss.backward();
    optimizer.step();
    for (auto& [index, range] : ranges_) range.keep_inside();
  }
  write();
}

void UnitLearner::write() {
  for (const auto& [id, rounding] : roundings_) {
    old_weights_[id] = *graph_.value(id).constant;
    graph_.value(id).constant = from_torch(rounding.hard());
  }
  for (const auto& [index, range] : ranges_) {
    for (const ValueId id : placement_.groups[index].members) {
      old_entries_[id] = *table_.find(id);
      table_.set(id, range.params());
    }
  }
}

void UnitLearner::undo() {
  for (const auto& [id, weight] : old_weights_) graph_.value(id).constant = weight;
  for (const auto& [id, entry] : old_entries_) table_.set(id, entry);
}

}  // namespace octet
