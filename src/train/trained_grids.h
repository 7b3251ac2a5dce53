#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "graph/quant_table.h"
#include "quant/training_simulation.h"

namespace octet {

using NamedTensors = std::map<std::string, at::Tensor>;

/// The grids of a network while it is trained, and what of them learns.
class TrainedGrids {
 public:
  virtual ~TrainedGrids() = default;
  /// Leaf tensors that get gradients, by a name that lasts.
  virtual NamedTensors variables() const = 0;
  /// What runs move, by a name that lasts.
  virtual NamedTensors statistics() const = 0;
  /// What is remembered between steps besides.
  virtual NamedTensors memory() const = 0;
  /// After every step of the optimizer: keeps variables where they have a meaning.
  virtual void after_step() = 0;
  /// From now on grids stay as they are.
  virtual void freeze() = 0;
  /// From now on statistics of normalizations do.
  virtual void freeze_norms() = 0;
  /// Makes the constants of `trained` those of the deployed network, and writes the present grids,
  /// and what follows from them, into its table.
  virtual void write(Graph& trained, QuantTable& table) const = 0;
};

/// A float network: there are none.
class NoGrids final : public TrainedGrids {
 public:
  NamedTensors variables() const override { return {}; }
  NamedTensors statistics() const override { return {}; }
  NamedTensors memory() const override { return {}; }
  void after_step() override {}
  void freeze() override {}
  void freeze_norms() override {}
  void write(Graph& /*trained*/, QuantTable& /*table*/) const override {}
};

/// Those of a simulation that trains.
class SimulatedGrids final : public TrainedGrids {
 public:
  explicit SimulatedGrids(TrainingSimulation& simulation) : simulation_(simulation) {}
  NamedTensors variables() const override { return simulation_.variables(); }
  NamedTensors statistics() const override { return simulation_.statistics(); }
  NamedTensors memory() const override { return simulation_.memory(); }
  void after_step() override { simulation_.after_step(); }
  void freeze() override { simulation_.freeze(); }
  void freeze_norms() override {
    if (simulation_.norms()) simulation_.norms()->freeze();
  }
  void write(Graph& trained, QuantTable& table) const override {
    simulation_.write(trained, table);
  }

 private:
  TrainingSimulation& simulation_;
};

}  // namespace octet
