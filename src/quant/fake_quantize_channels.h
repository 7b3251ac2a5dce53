#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

namespace octet {

// Weights and biases on the grids of their channels, with gradients as in quant/fake_quantize.h.

/// The grids of a weight's channels, with zero point 0.
struct ChannelGrids {
  std::vector<float> scales;   ///< one for each index along the axis
  at::Tensor log_scales = {};  ///< as many, that ask for gradients; undefined: the scales are given
  std::vector<char> held = {};  ///< not 0: the channel's scale does not follow its variable now
  int64_t axis = 0;             ///< -1: one scale for all
  int32_t low = -127;
  int32_t high = 127;
  float damping = 0;  ///< see kernels/learned_grid.h
};
at::Tensor fake_quantize_channels(const at::Tensor& weight, const ChannelGrids& grids);

/// A bias on 32-bit grids, one for each element or one for all: far from any end of theirs.
at::Tensor fake_quantize_bias(const at::Tensor& bias, std::span<const float> scales);

}  // namespace octet
