#include <bit>

#include "dialects/tflite_interpolation.h"
#include "dialects/tflite_kernels.h"

// SOFTMAX of 16 bits: the exponential and the inverse of the sum are interpolated.
namespace octet::lite_integers {
namespace {

/// e^x for x from -10 to 0, on 16 bits.
const Interpolation& interpolated_exponential() {
  static const Interpolation made =
      Interpolation::of(10.0 / 65535.0, 32767, 2.0 / 65535.0, [](double x) { return std::exp(x); });
  return made;
}

/// 1 / (1 + x) for x from 0 to 1, on 16 bits.
const Interpolation& inverse() {
  static const Interpolation made = Interpolation::of(1.0 / 65535.0, -32768, 2.0 / 65535.0,
                                                      [](double x) { return 1.0 / (1.0 + x); });
  return made;
}

void softmax_of_row(std::span<const int32_t> from, Multiplier by, std::span<int32_t> to) {
  const int32_t most = std::ranges::max(from);
  int32_t sum = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    const int32_t difference = scaled(from[i] - most, by) + 32767;
    to[i] = interpolated_exponential()(std::clamp(difference, -32768, 32767));
    sum = wrapping_add(sum, to[i]);
  }
  const int headroom = std::countl_zero(static_cast<uint32_t>(sum));
  const auto fraction = static_cast<int32_t>(((int64_t{sum} << (headroom - 1)) + (1 << 13)) >> 14);
  const int32_t share = inverse()(std::clamp(fraction - (1 << 15) - (1 << 16), -32768, 32767));
  const int shift = 31 - headroom;
  for (int32_t& y : to) {
    const int64_t product = int64_t{y} * share + (int64_t{1} << (shift - 1));
    y = std::clamp(static_cast<int32_t>(product >> shift), 0, 32767);
  }
}

at::Tensor softmax(const IntegerCall& call) {
  const double scale = static_cast<double>(grid_of_input(call, 0).scale[0]);
  const Multiplier by = multiplier_of(scale * 1.0 / (10.0 / 65535.0));
  const int64_t axis = call.node.integer("axis", -1);
  const at::Tensor from = call.in(0).movedim(axis, -1).contiguous();
  at::Tensor to = at::empty_like(from);
  const auto length = static_cast<size_t>(from.size(-1));
  for (int64_t at = 0; at < from.numel(); at += from.size(-1)) {
    softmax_of_row({from.const_data_ptr<int32_t>() + at, length}, by,
                   {to.mutable_data_ptr<int32_t>() + at, length});
  }
  return to.movedim(-1, axis);
}

constexpr std::array kWideSoftmaxRows{DialectRow{"Softmax", softmax}};

}  // namespace

std::span<const DialectRow> wide_softmax_rows() { return kWideSoftmaxRows; }

}  // namespace octet::lite_integers
