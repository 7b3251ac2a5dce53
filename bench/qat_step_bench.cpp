// One training step of the example network, float against QAT, alternated in one process: prints
// the median of each and of their ratio, with the spread of the ratio (first and third quartile).
//
//     ./dev bench qat_step [ROUNDS]

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <chrono>
#include <cstdlib>
#include <print>

#include "engine/executor.h"
#include "networks/architectures.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/simulate.h"
#include "quant/solve.h"

namespace {

using namespace octet;

double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

struct Step {
  Executor& executor;
  Interpretation& interpretation;
  at::Tensor images;
  at::Tensor labels;

  double loss() {
    const at::Tensor logits = executor.run({&images, 1}, interpretation, true).at(0);
    const at::Tensor value = at::cross_entropy_loss(logits, labels);
    value.backward();
    return value.item<double>();
  }
  double milliseconds() {
    const auto start = std::chrono::steady_clock::now();
    loss();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 30;
  const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
  const TargetSet targets(names);
  Graph graph = make_network("mobilenetv3-tiny", {{1, 28, 28}, 10, 1.0}, 1);
  simplify(graph);
  lower(graph, [&](std::string_view op) { return targets.supports(op); });
  const Placement placement = place(graph, targets);
  at::manual_seed(1);
  const at::Tensor images = at::randn({128, 1, 28, 28});
  bool given = false;
  const auto next = [&](std::vector<float>& out) -> int64_t {
    if (std::exchange(given, true)) return 0;
    out.assign(images.const_data_ptr<float>(), images.const_data_ptr<float>() + images.numel());
    return 128;
  };
  const QuantTable table =
      solve(graph, placement, calibrate(graph, placement, next, {.observer = "minmax"}));

  Executor executor(graph);
  for (auto [id, parameter] : executor.parameters()) parameter.set_requires_grad(true);
  Interpretation plain;
  TrainingSimulation quantized(placement, table, executor);
  const at::Tensor labels = at::randint(10, {128}, at::kLong);
  Step as_float{executor, plain, images, labels};
  Step as_qat{executor, quantized, images, labels};
  const double float_loss = as_float.loss();
  const double qat_loss = as_qat.loss();
  if (std::abs(float_loss - qat_loss) > 0.05 * float_loss) {
    std::println("not the same network: loss {} in float, {} in QAT", float_loss, qat_loss);
    return 1;
  }
  std::vector<double> floats, qats, ratios;
  for (int i = 0; i < rounds; ++i) {
    floats.push_back(as_float.milliseconds());
    qats.push_back(as_qat.milliseconds());
    ratios.push_back(qats.back() / floats.back());
  }
  std::println(
      "mobilenetv3-tiny 1x28x28, batch 128: float {:.1f} ms, QAT {:.1f} ms, ratio {:.2f} "
      "({:.2f} to {:.2f}), {} rounds",
      quantile(floats, 0.5), quantile(qats, 0.5), quantile(ratios, 0.5), quantile(ratios, 0.25),
      quantile(ratios, 0.75), rounds);
}
