#include <ATen/ops/empty_like.h>

#include "dialects/tflite_functions.h"
#include "dialects/tflite_kernels.h"

// SOFTMAX, LOG_SOFTMAX and L2_NORMALIZATION: rows along one axis.
namespace octet::lite_integers {
namespace {

/// Runs `row(from, to, length)` over all rows along the node's axis.
template <class Row>
at::Tensor along_axis(const IntegerCall& call, Row row) {
  const int64_t axis = call.node.integer("axis", -1);
  const at::Tensor from = call.in(0).movedim(axis, -1).contiguous();
  at::Tensor to = at::empty_like(from);
  const int64_t length = from.size(-1);
  for (int64_t at = 0; at < from.numel(); at += length) {
    row(std::span(from.const_data_ptr<int32_t>() + at, static_cast<size_t>(length)),
        std::span(to.mutable_data_ptr<int32_t>() + at, static_cast<size_t>(length)));
  }
  return to.movedim(-1, axis);
}

using From = std::span<const int32_t>;
using To = std::span<int32_t>;

/// e^(-scale * n) for n = 0 .. 255.
std::array<float, 256> exponentials(float scale) {
  std::array<float, 256> table{};
  for (size_t n = 0; n < table.size(); ++n) table[n] = std::exp(-scale * static_cast<float>(n));
  return table;
}

float sum_of(const std::array<float, 256>& table, From from, int32_t most) {
  float sum = 0;
  for (const int32_t x : from) sum += table[static_cast<size_t>(most - x)];
  return sum;
}

at::Tensor softmax_in_float(const IntegerCall& call) {
  const auto table = exponentials(grid_of_input(call, 0).scale[0]);
  return along_axis(call, [&](From from, To to) {
    const int32_t most = std::ranges::max(from);
    const float inverse = 1.0F / (sum_of(table, from, most) * call.out.scale[0]);
    for (size_t i = 0; i < from.size(); ++i) {
      const float steps = table[static_cast<size_t>(most - from[i])] * inverse;
      const int32_t y = truncated(std::round(steps)) + call.out.zero_point[0];
      to[i] = std::clamp(y, -128, 127);
    }
  });
}

at::Tensor log_softmax_in_float(const IntegerCall& call) {
  const float in = grid_of_input(call, 0).scale[0];
  const float out = call.out.scale[0];
  const auto table = exponentials(in);
  return along_axis(call, [&](From from, To to) {
    const int32_t most = std::ranges::max(from);
    const float log = std::log(sum_of(table, from, most));
    const float scale = in / out;
    const float offset = (in * static_cast<float>(most) + log) / out;
    for (size_t i = 0; i < from.size(); ++i) {
      const float steps = std::rint(scale * static_cast<float>(from[i]) - offset);
      to[i] = std::clamp(truncated(steps + static_cast<float>(call.out.zero_point[0])), -128, 127);
    }
  });
}

/// Differences to the largest of a row as q5 numbers, down to the smallest that counts.
struct Q5 {
  Multiplier by;
  int32_t least;

  explicit Q5(float scale) {
    const double real = std::min(static_cast<double>(scale) * (1 << 26), 2147483647.0);
    by = multiplier_of(real);
    least = -truncated(std::floor(std::ldexp(31.0, 26 - by.exponent)));
  }
  int32_t operator()(int32_t difference) const { return scaled(difference, by); }
};

int32_t sum_of(const Q5& q5, From from, int32_t most) {
  int32_t sum = 0;
  for (const int32_t x : from) {
    if (x - most < q5.least) continue;
    sum = wrapping_add(sum, saturating_shift(exp_of_negative(q5(x - most)), -12));
  }
  return sum;
}

at::Tensor softmax_in_fixed_point(const IntegerCall& call) {
  const Q5 q5(grid_of_input(call, 0).scale[0]);
  return along_axis(call, [&](From from, To to) {
    const int32_t most = std::ranges::max(from);
    int bits = 0;
    const int32_t inverse = reciprocal(sum_of(q5, from, most), bits);
    for (size_t i = 0; i < from.size(); ++i) {
      to[i] = -128;
      if (from[i] - most < q5.least) continue;
      const int32_t share = high_product(inverse, exp_of_negative(q5(from[i] - most)));
      to[i] = std::clamp(divided(share, bits + 31 - 8) - 128, -128, 127);
    }
  });
}

at::Tensor log_softmax_in_fixed_point(const IntegerCall& call) {
  const Q5 q5(grid_of_input(call, 0).scale[0]);
  const Multiplier back =
      multiplier_of(std::ldexp(1.0, 31 - q5.by.exponent) / static_cast<double>(q5.by.mantissa));
  return along_axis(call, [&](From from, To to) {
    const int32_t most = std::ranges::max(from);
    const int32_t log = log_of_sum(sum_of(q5, from, most));
    const int32_t lowest = wrapping_add(log, std::numeric_limits<int32_t>::min());
    const int32_t least = std::max(q5.least - 1, scaled(lowest, back));
    for (size_t i = 0; i < from.size(); ++i) {
      const int32_t difference = from[i] - most;
      to[i] = -128;
      if (difference <= least) continue;
      const int32_t value = wrapping_add(q5(difference), -log);
      to[i] = std::clamp(divided(value, 22) + 127, -128, 127);
    }
  });
}

/// On the grid of 1/128 from 0.
at::Tensor l2_normalization(const IntegerCall& call) {
  const int32_t zero = grid_of_input(call, 0).zero_point[0];
  return along_axis(call, [&](From from, To to) {
    int32_t sum = 0;
    for (const int32_t x : from) sum = wrapping_add(sum, (x - zero) * (x - zero));
    Multiplier by;
    by.mantissa = inverse_root(sum, by.exponent);
    by.exponent += 7;
    for (size_t i = 0; i < from.size(); ++i) {
      to[i] = std::clamp(scaled(from[i] - zero, by), -128, 127);
    }
  });
}

constexpr std::array kOptimizedSoftmax{
    DialectRow{"Softmax", softmax_in_float},
    DialectRow{"LogSoftmax", log_softmax_in_float},
    DialectRow{"LpNormalization", l2_normalization},
};
constexpr std::array kReferenceSoftmax{
    DialectRow{"Softmax", softmax_in_fixed_point},
    DialectRow{"LogSoftmax", log_softmax_in_fixed_point},
    DialectRow{"LpNormalization", l2_normalization},
};

}  // namespace

std::span<const DialectRow> softmax_rows(Kernels kernels) {
  if (kernels == Kernels::Wide) return wide_softmax_rows();
  return kernels == Kernels::Optimized ? std::span(kOptimizedSoftmax)
                                       : std::span(kReferenceSoftmax);
}

}  // namespace octet::lite_integers
