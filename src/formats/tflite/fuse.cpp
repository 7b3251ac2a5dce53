#include "formats/tflite/fuse.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace octet::lite {
namespace {

/// The place where an operator's options hold its activation; nullptr where it has none.
tflite::ActivationFunctionType* activation_of(LiteOp& op) {
  auto& options = op.options;
  if (auto* conv = options.AsConv2DOptions()) return &conv->fused_activation_function;
  if (auto* depthwise = options.AsDepthwiseConv2DOptions()) {
    return &depthwise->fused_activation_function;
  }
  if (auto* full = options.AsFullyConnectedOptions()) return &full->fused_activation_function;
  if (auto* add = options.AsAddOptions()) return &add->fused_activation_function;
  if (auto* sub = options.AsSubOptions()) return &sub->fused_activation_function;
  if (auto* mul = options.AsMulOptions()) return &mul->fused_activation_function;
  return nullptr;
}

std::optional<tflite::ActivationFunctionType> activation_by(const LiteOp& op) {
  if (op.code == tflite::BuiltinOperator_RELU) return tflite::ActivationFunctionType_RELU;
  if (op.code == tflite::BuiltinOperator_RELU6) return tflite::ActivationFunctionType_RELU6;
  return std::nullopt;
}

}  // namespace

void fuse_activations(LiteModel& model) {
  std::map<int, size_t> makers;
  std::map<int, int> readers;
  for (const LiteOp& op : model.ops) {
    for (const int input : op.inputs) ++readers[input];
  }
  for (const int output : model.outputs) ++readers[output];
  std::vector<LiteOp> kept;
  for (LiteOp& op : model.ops) {
    const auto fused = activation_by(op);
    const auto maker = fused ? makers.find(op.inputs[0]) : makers.end();
    if (maker != makers.end() && readers[op.inputs[0]] == 1) {
      const LiteTensor& from = model.tensor(op.inputs[0]);
      const LiteTensor& to = model.tensor(op.outputs[0]);
      LiteOp& before = kept[maker->second];
      auto* held = activation_of(before);
      if (held && *held == tflite::ActivationFunctionType_NONE && from.scale == to.scale &&
          from.zero_point == to.zero_point) {
        *held = *fused;
        before.outputs = op.outputs;
        makers[op.outputs[0]] = maker->second;
        continue;
      }
    }
    for (const int output : op.outputs) makers[output] = kept.size();
    kept.push_back(std::move(op));
  }
  model.ops = std::move(kept);
}

}  // namespace octet::lite
