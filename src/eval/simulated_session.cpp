#include "eval/simulated_session.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <torch/headeronly/version.h>

#include <format>
#include <thread>

#include "engine/executor.h"
#include "quant/exact.h"
#include "quant/simulate.h"

namespace octet {
namespace {

/// LibTorch's number of threads, for a while.
class ThreadCount {
 public:
  explicit ThreadCount(int count) : before_(at::get_num_threads()) {
    if (count != before_) at::set_num_threads(count);
  }
  ~ThreadCount() {
    if (at::get_num_threads() != before_) at::set_num_threads(before_);
  }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

class SimulatedSession final : public Session {
 public:
  SimulatedSession(const Graph& graph, std::unique_ptr<Interpretation> simulation, int threads)
      : graph_(graph),
        executor_(graph),
        simulation_(std::move(simulation)),
        threads_(threads > 0
                     ? threads
                     : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))) {}

  std::string runtime() const override {
    return std::format("LibTorch {}.{}.{}", TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR,
                       TORCH_VERSION_PATCH);
  }
  Shape image_shape() const override {
    const Shape& shape = graph_.value(graph_.inputs().at(0)).shape;
    return {shape.begin() + 1, shape.end()};
  }
  Shape output_shape() const override {
    const Shape& shape = graph_.value(graph_.outputs().at(0)).shape;
    return {shape.begin() + 1, shape.end()};
  }

  std::vector<float> run(std::span<const float> images, int64_t count) override {
    const at::NoGradGuard no_grad;
    const ThreadCount limited(threads_);
    Shape shape = image_shape();
    shape.insert(shape.begin(), count);
    // from_blob lacks const; inputs are not written.
    at::Tensor input = at::from_blob(const_cast<float*>(images.data()), shape, at::kFloat);
    if (graph_.value(graph_.inputs().at(0)).dtype != DType::Float32) input = input.to(at::kLong);
    const at::Tensor logits = executor_.run({&input, 1}, *simulation_).at(0).contiguous();
    const auto* values = logits.const_data_ptr<float>();
    return {values, values + logits.numel()};
  }

  std::vector<OperatorUse> operators() override {
    std::vector<OperatorUse> uses;
    for (NodeId id : graph_.order()) {
      uses.push_back({graph_.node(id).op, graph_.node(id).name, "float32"});
    }
    return uses;
  }

 private:
  const Graph& graph_;
  Executor executor_;
  std::unique_ptr<Interpretation> simulation_;
  int threads_;
};

}  // namespace

std::unique_ptr<Session> simulate(const Graph& graph, const Placement& placement,
                                  const QuantTable& table, int threads) {
  return std::make_unique<SimulatedSession>(
      graph, std::make_unique<Simulation>(graph, placement, table), threads);
}

std::unique_ptr<Session> simulate(const Graph& graph, const Placement& placement,
                                  const QuantTable& table, const Dialect& dialect, int threads) {
  return std::make_unique<SimulatedSession>(
      graph, std::make_unique<ExactSimulation>(graph, placement, table, dialect), threads);
}

}  // namespace octet
