#pragma once

#include <random>
#include <string>

#include "networks/architectures.h"

namespace octet {

/// A convolution's window; its padding keeps the extent at stride 1.
struct ConvShape {
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t groups = 1;
  bool bias = false;
};

/// A multiple of 8, never more than a tenth below `channels`: what the MobileNets round to.
int64_t multiple_of_8(double channels);

/// Appends layers to a graph; each returns the value it makes. Image values are NCHW.
class NetworkBuilder {
 public:
  NetworkBuilder(const NetworkSize& size, uint64_t seed);

  ValueId input() const { return input_; }
  const Shape& shape(ValueId value) const { return graph_.value(value).shape; }
  int64_t channels(ValueId image) const { return shape(image).at(1); }
  /// A number of channels times the width, as a multiple of 8.
  int64_t scaled(int64_t channels) const;

  /// Weights of He et al. (2015), fan-out; a bias of zeros where there is one.
  ValueId conv(const std::string& name, ValueId x, int64_t out, const ConvShape& window);
  ValueId batch_norm(const std::string& name, ValueId x);
  /// Of the last dimension, with ONNX's operator.
  ValueId layer_norm(const std::string& name, ValueId x, float epsilon);
  /// An activation by its ONNX name ("Relu", "HardSwish", "Gelu"; "HardSigmoid" of slope 1/6), or
  /// "Relu6" (a Clip) or "Silu" (x times its Sigmoid). "" for none.
  ValueId activation(const std::string& op, const std::string& name, ValueId x);
  /// conv + batch_norm + activation; a convolution with a bias is not normalized.
  ValueId conv_block(const std::string& name, ValueId x, int64_t out, const ConvShape& window,
                     const std::string& act);
  ValueId max_pool(const std::string& name, ValueId x, const ConvShape& window);
  ValueId global_pool(const std::string& name, ValueId x);
  ValueId binary(const std::string& op, const std::string& name, ValueId a, ValueId b);
  ValueId flatten(const std::string& name, ValueId x);
  /// Rows times a matrix (Gemm), with a bias of zeros where wanted.
  ValueId linear(const std::string& name, ValueId x, int64_t out, bool bias = true);

  /// Any other operator; `shape` is its output's, with -1 for the batch.
  ValueId op(const std::string& op, const std::string& name, std::vector<ValueId> inputs,
             std::map<std::string, Attribute> attributes, Shape shape);
  /// Reshape to `shape`, which keeps the batch: its first dimension is -1 and is copied.
  ValueId reshape(const std::string& name, ValueId x, Shape shape);
  ValueId transpose(const std::string& name, ValueId x, const std::vector<int64_t>& order);
  /// Elements [begin, end) along `axis`.
  ValueId slice(const std::string& name, ValueId x, int64_t axis, int64_t begin, int64_t end);
  ValueId scalar(const std::string& name, float value);
  ValueId integers(const std::string& name, const std::vector<int64_t>& values);
  /// A constant drawn from a normal distribution cut off at two deviations, as the transformers'.
  ValueId truncated_normal(const std::string& name, Shape shape, double deviation = 0.02);
  ValueId filled(const std::string& name, Shape shape, float value);

  Graph finish(ValueId logits);

 private:
  ValueId weight(const std::string& name, Shape shape, double deviation);
  ValueId windowed(const std::string& op, const std::string& name, std::vector<ValueId> inputs,
                   int64_t out, const ConvShape& window);
  double normal();

  Graph graph_;
  std::mt19937_64 random_;
  double width_;
  ValueId input_;
};

}  // namespace octet
