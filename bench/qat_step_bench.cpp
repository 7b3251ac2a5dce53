// One training step of the example network, QAT against float, alternated in one process.
//
//     ./dev bench qat_step [--json FILE] [ROUNDS]

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <cmath>

#include "base/fail.h"
#include "engine/executor.h"
#include "networks/architectures.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/simulate.h"
#include "quant/solve.h"
#include "rows.h"

namespace {

using namespace octet;

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
};

void measure(const bench::Options& options, bench::Table& table_of_rows) {
  const int rounds = bench::count_argument(options, 0, "the number of rounds", 30);
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
    fail(Code::Runtime, "not the same network: loss {} in float, {} in QAT", float_loss, qat_loss);
  }
  const std::vector<std::function<void()>> contenders{[&] { as_float.loss(); },
                                                      [&] { as_qat.loss(); }};
  const auto times = bench::alternate(contenders, rounds, 1);
  table_of_rows.add(bench::compare("mobilenetv3-tiny 1x28x28, batch 128",
                                   "QAT step / float step, ms", times[1], times[0]));
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run("qat_step", {argv, static_cast<size_t>(argc)}, measure);
}
