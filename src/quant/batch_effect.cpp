#include "quant/batch_effect.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>

#include "engine/executor.h"

namespace octet {
namespace {

/// The first image's results.
std::vector<float> numbers_of(Executor& executor, const at::Tensor& images) {
  Interpretation plain;
  std::vector<float> numbers;
  for (const at::Tensor& output : executor.run({&images, 1}, plain)) {
    if (output.dim() == 0 || output.size(0) != images.size(0)) continue;
    const Tensor first = from_torch(output.slice(0, 0, 1).to(at::kFloat));
    numbers.insert(numbers.end(), first.as<float>().begin(), first.as<float>().end());
  }
  return numbers;
}

}  // namespace

double batch_effect(const Graph& graph, std::span<const float> two_images) {
  const at::NoGradGuard no_grad;
  std::vector<float> held(two_images.begin(), two_images.end());
  std::vector<int64_t> shape = graph.value(graph.inputs().at(0)).shape;
  shape.at(0) = 2;
  const at::Tensor both = at::from_blob(held.data(), shape, at::kFloat);
  Executor executor(graph);
  const std::vector<float> together = numbers_of(executor, both);
  const std::vector<float> alone = numbers_of(executor, both.slice(0, 0, 1));
  double largest = 0;
  double difference = 0;
  for (size_t i = 0; i < std::min(together.size(), alone.size()); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(alone[i])));
    difference = std::max(difference, std::abs(static_cast<double>(together[i]) - alone[i]));
  }
  const double effect = largest == 0 ? 0 : difference / largest;
  return std::isfinite(effect) ? effect : 0;
}

}  // namespace octet
