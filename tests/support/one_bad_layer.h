#pragma once

#include <string>

#include "engine/executor.h"
#include "formats/onnx/onnx_file.h"
#include "support/data_files.h"
#include "support/graph_builder.h"
#include "support/temp_folder.h"

namespace octet::test {

/// Why a layer is bad in 8 bits.
enum class Bad : uint8_t {
  Weight,  ///< it reads a channel that is always 0 with a weight of 1000, so that with one scale
           ///< per tensor its other weights round to nothing
  Range,   ///< it makes a channel that is always 2000 and that nothing reads, so that its other
           ///< results round to nothing
};

/// A classifier of 1x8x8 images by which third of the rows is bright, right on all of them. Its
/// layer "outlier" is bad; every other layer is at ease in 8 bits.
inline Graph one_bad_layer(Bad bad = Bad::Weight) {
  constexpr int64_t kChannels = 32;
  constexpr int64_t kHidden = 32;
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 1, 8, 8});
  Tensor first = random_tensor({kChannels, 1, 7, 7}, 3, -0.01F, 0.01F);
  Tensor first_bias(DType::Float32, {kChannels});
  for (int64_t i = 0; i < 49; ++i) {
    first.as<float>()[static_cast<size_t>(i)] = i == 24 ? 1.0F : 0.0F;        // the image
    first.as<float>()[static_cast<size_t>(49 + i)] = i == 24 ? -1.0F : 0.0F;  // nothing
  }
  first_bias.as<float>()[1] = -1;
  Tensor outlier = random_tensor({8, kChannels, 1, 1}, 4, -0.01F, 0.01F);
  for (size_t out = 0; out < 8; ++out)
    outlier.as<float>()[out * kChannels] = out == 0 ? 1.0F : 0.2F;
  Tensor outlier_bias(DType::Float32, {8});
  Tensor hidden = random_tensor({kHidden, 512}, 5, -0.002F, 0.002F);
  if (bad == Bad::Weight) {
    outlier.as<float>()[7 * kChannels + 1] = 1000;
  } else {
    outlier_bias.as<float>()[7] = 2000;
    for (size_t row = 0; row < kHidden; ++row) {
      std::ranges::fill(hidden.as<float>().subspan(row * 512 + 7 * 64, 64), 0.0F);
    }
  }
  Tensor last(DType::Float32, {3, kHidden});
  for (size_t label = 0; label < 3; ++label) {
    const size_t rows[] = {0, 3, 6};
    for (size_t pixel = 0; pixel < 16; ++pixel) {
      hidden.as<float>()[label * 512 + rows[label] * 8 + pixel] = 0.05F;
    }
    last.as<float>()[label * kHidden + label] = 10;
  }
  const auto constant = [&](const char* name, Tensor tensor) {
    return graph.add_constant(name, std::move(tensor));
  };
  const ValueId a = graph.add_op("Conv", "first",
                                 {x, constant("first.w", first), constant("first.b", first_bias)},
                                 {{"pads", std::vector<int64_t>{3, 3, 3, 3}}});
  const ValueId b = graph.add_op("Relu", "first_relu", {a});
  const ValueId c = graph.add_op(
      "Conv", "outlier", {b, constant("outlier.w", outlier), constant("outlier.b", outlier_bias)});
  const ValueId d = graph.add_op("Relu", "outlier_relu", {c});
  const ValueId e = graph.add_op("Flatten", "flat", {d});
  const ValueId f =
      graph.add_op("Gemm", "hidden", {e, constant("hidden.w", hidden)}, {{"transB", int64_t{1}}});
  const ValueId g = graph.add_op("Relu", "hidden_relu", {f});
  graph.add_output(
      graph.add_op("Gemm", "last", {g, constant("last.w", last)}, {{"transB", int64_t{1}}}));
  infer_shapes(graph);
  return graph;
}

/// Such images, half of them held back, and their description "data.yaml".
inline std::filesystem::path write_thirds(const TempFolder& folder, uint32_t count = 60) {
  std::mt19937 random(9);
  std::string pixels;
  std::string labels;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t label = i % 3;
    for (uint32_t y = 0; y < 8; ++y) {
      for (uint32_t x = 0; x < 8; ++x) {
        const bool bright = y >= 3 * label && y < 3 * label + 2;
        pixels.push_back(static_cast<char>((bright ? 190 : 10) + random() % 40));
      }
    }
    labels.push_back(static_cast<char>(label));
  }
  folder.write("images", idx_bytes({count, 8, 8}, pixels));
  folder.write("labels", idx_bytes({count}, labels));
  return folder.write("data.yaml",
                      "classes: 3\nvalidation: 0.5\n"
                      "train: {format: idx, images: images, labels: labels}\n"
                      "test: {format: idx, images: images, labels: labels}\n");
}

}  // namespace octet::test
