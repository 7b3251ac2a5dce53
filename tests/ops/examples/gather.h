#pragma once

#include "ops/example.h"

namespace octet::test {

/// A constant of whole numbers of any shape.
inline Operand indices(Shape shape, L values) {
  return {Operand::Kind::Constant, Tensor::of<int64_t>(std::move(shape), values)};
}

/// The loop of the specification (TensorScatter-24) for a cache [batch, steps, width].
inline std::vector<Tensor> tensor_scatter_reference(const OpExample& example) {
  Tensor cache = example.inputs[0].tensor;
  const Tensor& update = example.inputs[1].tensor;
  const int64_t batches = cache.shape[0];
  const int64_t most = cache.shape[1];
  const int64_t width = cache.shape[2];
  const int64_t steps = update.shape[1];
  const bool given = example.inputs.size() > 2;
  for (int64_t b = 0; b < batches; ++b) {
    const int64_t start =
        given ? example.inputs[2].tensor.as<int64_t>()[static_cast<size_t>(b)] : 0;
    for (int64_t s = 0; s < steps; ++s) {
      const int64_t to = ((b * most) + (start + s) % most) * width;
      const int64_t from = ((b * steps) + s) * width;
      for (int64_t w = 0; w < width; ++w) {
        cache.as<float>()[static_cast<size_t>(to + w)] =
            update.as<float>()[static_cast<size_t>(from + w)];
      }
    }
  }
  return {cache};
}

inline std::vector<OpExample> gather_examples() {
  std::vector<OpExample> all{
      {"Gather", "rows", {x({4, 3}), list({2, 0, -1})}},
      {"Gather", "along the last axis", {x({2, 5}), list({4, 1})}, {{"axis", -1}}},
      {"Gather", "a matrix of indices", {x({4, 3}), indices({2, 2}, {0, 3, 1, 1})}},
      {"Gather", "one index", {x({4, 3}), indices({}, {2})}, {{"axis", 1}}},
      {"Gather", "whole numbers", {whole({5, 6, 7}), list({2, 0})}},
      {"GatherElements", "rows", {x({3, 2}), indices({2, 2}, {2, 0, -1, 1})}},
      {"GatherElements", "columns", {x({2, 4}), indices({2, 2}, {3, 0, 1, 1})}, {{"axis", 1}}},
      {"GatherND", "elements", {x({2, 3}), indices({2, 2}, {0, 2, 1, -1})}},
      {"GatherND", "slices", {x({3, 2, 2}), indices({2, 1}, {2, 0})}},
      {"GatherND", "batches", {x({2, 3, 2}), indices({2, 1}, {2, 0})}, {{"batch_dims", 1}}},
      {"ScatterElements", "rows", {x({3, 2}), indices({1, 2}, {2, -3}), x({1, 2})}},
      {"ScatterND", "elements", {x({2, 3}), indices({2, 2}, {0, 2, 1, 0}), x({2})}},
      {"ScatterND", "slices", {x({3, 2}), indices({2, 1}, {2, 0}), x({2, 2})}},
      {"TensorScatter", "from the front", {x({2, 4, 3}), x({2, 2, 3})}},
      {"TensorScatter", "along an axis", {x({2, 4, 3}), x({2, 2, 3}), list({1, 2})}, {{"axis", 1}}},
      {"TensorScatter",
       "circular",
       {x({2, 4, 3}), x({2, 3, 3}), list({3, 2})},
       {{"mode", "circular"}}},
  };
  for (const std::string reduction : {"add", "mul", "max", "min"}) {
    all.push_back({"ScatterElements",
                   "joined along the last axis",
                   {x({2, 3}), indices({2, 2}, {1, 1, 0, 2}), x({2, 2})},
                   {{"axis", -1}, {"reduction", reduction}}});
    all.push_back({"ScatterND",
                   "joined",
                   {x({3, 2}), indices({3, 1}, {2, 0, 2}), x({3, 2})},
                   {{"reduction", reduction}}});
  }
  for (OpExample& example : all) {
    if (example.op == "TensorScatter") example.reference = tensor_scatter_reference;
  }
  return all;
}

}  // namespace octet::test
