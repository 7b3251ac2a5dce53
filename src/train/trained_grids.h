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
  /// After every step of the optimizer: keeps variables where they have a meaning.
  virtual void after_step() = 0;
  /// From now on variables stay as they are.
  virtual void freeze() = 0;
  /// Writes the present grids, and what follows from them and from the constants of `trained`, into
  /// its table.
  virtual void write(const Graph& trained, QuantTable& table) const = 0;
};

/// A float network: there are none.
class NoGrids final : public TrainedGrids {
 public:
  NamedTensors variables() const override { return {}; }
  void after_step() override {}
  void freeze() override {}
  void write(const Graph& /*trained*/, QuantTable& /*table*/) const override {}
};

/// Those of a simulation that trains.
class SimulatedGrids final : public TrainedGrids {
 public:
  explicit SimulatedGrids(TrainingSimulation& simulation) : simulation_(simulation) {}
  NamedTensors variables() const override { return simulation_.variables(); }
  void after_step() override { simulation_.after_step(); }
  void freeze() override { simulation_.freeze(); }
  void write(const Graph& trained, QuantTable& table) const override {
    simulation_.write(trained, table);
  }

 private:
  TrainingSimulation& simulation_;
};

}  // namespace octet
