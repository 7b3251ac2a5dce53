#include <cmath>
#include <optional>

#include "dialects/tflite_int16_functions.h"
#include "dialects/tflite_kernels.h"
#include "graph/quantize_tensor.h"
#include "ops/op_def.h"

// Operators of one tensor of 16 bits: LOGISTIC, TANH, LEAKY_RELU, and clips.
namespace octet::lite_integers {
namespace {

/// The sigmoid of i / 24 in 1/65536: the one table of LOGISTIC and TANH. Half of what interpolation
/// misses in the middle of an interval is added; the last entry is the end.
const std::array<uint32_t, 256>& sigmoid_table() {
  static const auto table = [] {
    const auto sigmoid = [](double i) { return 65536.0 / (1.0 + std::exp(-i / 24)); };
    std::array<uint32_t, 256> made{};
    for (size_t i = 0; i < made.size(); ++i) {
      const auto at = static_cast<double>(i);
      const double missed = sigmoid(at + 0.5) - (sigmoid(at) + sigmoid(at + 1)) / 2;
      made[i] = static_cast<uint32_t>(std::lround(sigmoid(at) + missed / 2));
    }
    made.back() = 65535;
    return made;
  }();
  return table;
}

/// The power of a scale that is (nearly) 2^(power - 12), where the kernel takes it for that.
std::optional<int> exact_power(float scale, int most) {
  const float log = std::log(scale) * (1.0F / std::log(2.0F));
  const int power = static_cast<int>(std::round(log)) + 12;
  const bool exact = std::abs(log - std::round(log)) < 1e-3F && power >= 0 && power <= most;
  return exact ? std::optional(power) : std::nullopt;
}

/// The table's arguments are 1/(3 x 4096) apart: x times `factor`, divided by 2^`shift`.
struct Argument {
  int32_t factor = 0;
  int shift = 0;

  explicit Argument(float scale) {
    double real = static_cast<double>(scale) * 4096.0 * 3.0;
    for (; real <= 32767.0 / 2.0 && shift <= 30; real *= 2) ++shift;
    factor = static_cast<int32_t>(real);
  }
  int32_t operator()(int32_t x) const {
    const auto product = static_cast<uint32_t>(x) * static_cast<uint32_t>(factor);
    const uint32_t half = shift > 0 ? uint32_t{1} << (shift - 1) : 0;
    return static_cast<int32_t>(product + half) >> shift;
  }
};

/// The sigmoid of |argument| / 2^bits, between the table's entries, times 2^(16 + bits).
uint32_t interpolated(uint32_t argument, int bits, uint32_t most) {
  const uint32_t at = argument >> bits;
  if (at >= 255) return most;
  const uint32_t below = sigmoid_table()[at];
  return (below << bits) +
         (argument & ((uint32_t{1} << bits) - 1)) * (sigmoid_table()[at + 1] - below);
}

uint32_t magnitude(int32_t x) {
  return x < 0 ? 0 - static_cast<uint32_t>(x) : static_cast<uint32_t>(x);
}

/// Scales of 2^-12 have gemmlowp's functions (in the reference kernels the table too).
at::Tensor wide_sigmoid(const IntegerCall& call) {
  const float scale = grid_of_input(call, 0).scale[0];
  if (exact_power(scale, 0)) return each(call.in(0), logistic_of_q3);
  const Argument argument(scale);
  return each(call.in(0), [&](int32_t x) {
    const int32_t at = argument(x);
    const uint32_t result = interpolated(magnitude(at), 9, 0x7FFF << 10);
    const uint32_t both = at >= 0 ? result + (1 << 9) : (1 << 25) - result + (1 << 9) - 1;
    return int32_t{static_cast<int16_t>(both >> 10)};
  });
}

/// 2 sigmoid(2 x) - 1.
at::Tensor wide_tangent(const IntegerCall& call) {
  const float scale = grid_of_input(call, 0).scale[0];
  if (const auto power = exact_power(scale, 1)) {
    return each(call.in(0), [&](int32_t x) {
      return tanh_of_q3(std::clamp(x * (1 << *power), -32768, 32767));
    });
  }
  const Argument argument(scale);
  return each(call.in(0), [&](int32_t x) {
    const int32_t at = argument(x);
    const auto result = static_cast<int32_t>(interpolated(magnitude(at), 8, 0xFFFF << 8));
    const int32_t both =
        at >= 0 ? result - (1 << 23) + (1 << 7) : -result + (1 << 23) + (1 << 7) - 1;
    return int32_t{static_cast<int16_t>(both >> 8)};
  });
}

at::Tensor wide_leaky_relu(const IntegerCall& call) {
  const float in = grid_of_input(call, 0).scale[0];
  const float alpha = call.node.number("alpha", 0.01F);
  const Multiplier above = multiplier_of(static_cast<double>(in / call.out.scale[0]));
  const Multiplier below = multiplier_of(static_cast<double>(in * alpha / call.out.scale[0]));
  return each(call.in(0), [&](int32_t x) {
    return std::clamp(scaled(x, x >= 0 ? above : below), -32768, 32767);
  });
}

/// On one grid a clip of the integers (RELU, RELU6, or MAXIMUM and MINIMUM); between grids RELU and
/// RELU6 as operators of their own, or a QUANTIZE where the grid ends at the bounds.
at::Tensor wide_clip(const IntegerCall& call) {
  const QuantParams& x = grid_of_input(call, 0);
  IntegerCall bounded{.graph = call.graph,
                      .node = call.node,
                      .inputs = call.inputs,
                      .grids = call.grids,
                      .out = call.out,
                      .bounds = {}};
  bounded.bounds = std::get<Absorbable>(op_of(call.node).quant.value).bounds(call.graph, call.node);
  if (x.scale == call.out.scale) {
    const Grid grid = grid_of(call.out);
    return call.in(0).clamp(quantize(bounded.bounds.first, grid),
                            quantize(bounded.bounds.second, grid));
  }
  const Limits limits = limits_of(bounded);
  const Multiplier by = multiplier_of(static_cast<double>(x.scale[0] / call.out.scale[0]));
  return each(call.in(0),
              [&](int32_t q) { return std::clamp(scaled(q, by), limits.low, limits.high); });
}

constexpr std::array kWideActivationRows{
    DialectRow{"Relu", wide_clip},
    DialectRow{"Clip", wide_clip},
    DialectRow{"LeakyRelu", wide_leaky_relu},
    DialectRow{"Sigmoid", wide_sigmoid},
    DialectRow{"Tanh", wide_tangent},
};

}  // namespace

std::span<const DialectRow> wide_activation_rows() { return kWideActivationRows; }

}  // namespace octet::lite_integers
