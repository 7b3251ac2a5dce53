#include "qat_networks.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <cstring>
#include <format>
#include <span>

#include "base/fail.h"
#include "base/file.h"
#include "engine/executor.h"
#include "formats/onnx/onnx_file.h"
#include "made_networks.h"
#include "networks/architectures.h"
#include "passes/passes.h"

namespace octet::bench {
namespace {

/// One run that keeps nothing of the old statistics.
void settle_statistics(Graph& graph, const at::Tensor& images) {
  for (const NodeId id : graph.order()) {
    Node& node = graph.node(id);
    if (node.op == "BatchNormalization") node.attributes["momentum"] = 0.0F;
  }
  const at::NoGradGuard no_grad;
  Executor executor(graph);
  Interpretation plain;
  executor.run({&images, 1}, plain, true);
  executor.write_back(graph);
}

Shape batch_shape(const Graph& graph, int64_t batch) {
  Shape shape = graph.value(graph.inputs().at(0)).shape;
  shape.at(0) = batch;
  return shape;
}

void write_raw(const std::filesystem::path& path, const at::Tensor& tensor) {
  const auto* bytes = static_cast<const std::byte*>(tensor.const_data_ptr());
  write_file(path, std::span(bytes, tensor.nbytes()));
}

at::Tensor read_raw(const std::filesystem::path& path, at::IntArrayRef shape, at::ScalarType type) {
  const std::vector<std::byte> bytes = read_file(path, Code::Io);
  at::Tensor tensor = at::empty(shape, type);
  std::memcpy(tensor.mutable_data_ptr(), bytes.data(), tensor.nbytes());
  return tensor;
}

}  // namespace

QatNetwork qat_network(const std::string& name, int64_t side, int64_t batch) {
  const bool made = !name.ends_with(".onnx");
  Graph graph = made ? make_network(name, {{3, side, side}, 10, 1.0}, 1) : read_onnx(name);
  at::manual_seed(1);
  const at::Tensor images = at::randn(batch_shape(graph, batch));
  if (made) settle_statistics(graph, images);
  simplify(graph);
  const Shape shape = batch_shape(graph, batch);
  const std::string stem = made ? name : std::filesystem::path(name).stem().string();
  const std::string file = (bench_folder() / std::format("qat-{}-{}", stem, side)).string();
  QatNetwork network{.name = std::format("{} {}x{}x{}, batch {}", stem, shape.at(1), shape.at(2),
                                         shape.at(3), batch),
                     .model = file + ".onnx",
                     .images = file + ".images",
                     .labels = file + ".labels",
                     .batch = batch};
  write_file(network.model, write_onnx(graph));
  write_raw(network.images, images);
  const int64_t classes = graph.value(graph.outputs().at(0)).shape.back();
  write_raw(network.labels, at::randint(classes, {batch}, at::kLong));
  return network;
}

at::Tensor read_images(const QatNetwork& network) {
  const Graph graph = read_onnx(network.model);
  return read_raw(network.images, batch_shape(graph, network.batch), at::kFloat);
}

at::Tensor read_labels(const QatNetwork& network) {
  return read_raw(network.labels, {network.batch}, at::kLong);
}

}  // namespace octet::bench
