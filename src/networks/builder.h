#pragma once

#include <random>
#include <string>

#include "networks/architectures.h"

namespace octet {

/// Appends layers to a graph; each returns the value it makes. Image values are NCHW.
class NetworkBuilder {
 public:
  NetworkBuilder(const NetworkSize& size, uint64_t seed);

  ValueId input() const { return input_; }
  int64_t channels(ValueId image) const { return graph_.value(image).shape.at(1); }
  /// A number of channels times the width, rounded to a multiple of 8 (never by more than a tenth
  /// down), as the MobileNets do.
  int64_t scaled(int64_t channels) const;

  ValueId conv(const std::string& name, ValueId x, int64_t out, int64_t kernel, int64_t stride = 1,
               int64_t groups = 1, bool bias = false);
  ValueId batch_norm(const std::string& name, ValueId x);
  /// An activation by its ONNX name: "Relu", "HardSwish", "HardSigmoid" (of slope 1/6).
  ValueId activation(const std::string& op, const std::string& name, ValueId x);
  /// conv + batch_norm + activation ("" for none).
  ValueId conv_block(const std::string& name, ValueId x, int64_t out, int64_t kernel,
                     int64_t stride, int64_t groups, const std::string& act);
  ValueId global_pool(const std::string& name, ValueId x);
  /// x scaled per channel by a gate of two 1x1 convolutions (Hu et al., 2018).
  ValueId squeeze_excite(const std::string& name, ValueId x, int64_t squeezed);
  ValueId binary(const std::string& op, const std::string& name, ValueId a, ValueId b);
  ValueId flatten(const std::string& name, ValueId x);
  ValueId linear(const std::string& name, ValueId x, int64_t out);

  Graph finish(ValueId logits);

 private:
  ValueId weight(const std::string& name, Shape shape, double deviation);
  ValueId filled(const std::string& name, int64_t count, float value);
  double normal();

  Graph graph_;
  std::mt19937_64 random_;
  double width_;
  ValueId input_;
};

}  // namespace octet
