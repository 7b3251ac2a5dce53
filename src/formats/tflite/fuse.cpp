#include "formats/tflite/fuse.h"

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

class Fuser {
 public:
  explicit Fuser(LiteModel& model) : model_(model) {}

  void run() {
    for (const LiteOp& op : model_.ops) {
      for (const int input : op.inputs) ++readers_[input];
    }
    for (const int output : model_.outputs) ++readers_[output];
    for (LiteOp& op : model_.ops) {
      if (taken_in(op)) continue;
      for (const int output : op.outputs) makers_[output] = kept_.size();
      kept_.push_back(std::move(op));
    }
    model_.ops = std::move(kept_);
  }

 private:
  /// The operator that makes the input of this activation applies it from now on.
  bool taken_in(const LiteOp& op) {
    const auto activation = activation_by(op);
    if (!activation || readers_[op.inputs[0]] != 1) return false;
    const auto maker = makers_.find(op.inputs[0]);
    if (maker == makers_.end()) return false;
    const LiteTensor& from = model_.tensor(op.inputs[0]);
    const LiteTensor& to = model_.tensor(op.outputs[0]);
    LiteOp& before = kept_[maker->second];
    auto* held = activation_of(before);
    if (!held || *held != tflite::ActivationFunctionType_NONE) return false;
    if (from.scale != to.scale || from.zero_point != to.zero_point) return false;
    *held = *activation;
    before.outputs = op.outputs;
    makers_[op.outputs[0]] = maker->second;
    return true;
  }

  LiteModel& model_;
  std::map<int, int> readers_;
  std::map<int, size_t> makers_;  ///< places in `kept_`
  std::vector<LiteOp> kept_;
};

}  // namespace

void fuse_activations(LiteModel& model) { Fuser(model).run(); }

}  // namespace octet::lite
