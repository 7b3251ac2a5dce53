#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/graph_builder.h"
#include "support/tflite_network.h"

namespace octet::test {

using Ints = std::vector<int64_t>;

/// A small network that is written to TFLite, run there, and held against the network in float on
/// the same grids.
struct TfliteOp {
  const char* name;
  Shape input;
  std::function<ValueId(NetworkBuilder&, ValueId)> build;
  const char* operators;  ///< between QUANTIZE and DEQUANTIZE
  float steps = 1;        ///< largest difference, in steps of the output
  int64_t batch = -1;     ///< of the graph's input
};

inline void PrintTo(const TfliteOp& held, std::ostream* out) { *out << held.name; }

inline std::string case_name(const testing::TestParamInfo<TfliteOp>& held) {
  return held.param.name;
}

inline void check_op(const TfliteOp& held) {
  const Tensor image = random_tensor(held.input, 7);
  NetworkBuilder network;
  Shape open = held.input;
  open[0] = held.batch;
  const ValueId out = held.build(network, network.input(open));
  network.finish(out, image);
  TfliteNetwork opened(network.graph, network.table);
  EXPECT_EQ(opened.operators(), held.operators);

  const Tensor expected = rounded_output(network.graph, network.table, image);
  const std::vector<float> wanted = channels_last(expected);
  const std::vector<float> got = opened.session().run(channels_last(image), 1);
  ASSERT_EQ(got.size(), wanted.size());
  const float step = network.table.find(out)->scale[0];
  float worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::abs(got[i] - wanted[i]) / step);
  }
  EXPECT_LE(worst, held.steps + 1e-3F);
}

inline ValueId conv(NetworkBuilder& net, ValueId x, Shape weight, Ints pads, Ints strides,
                    int64_t group = 1, int64_t bias = -1) {
  const int64_t count = bias < 0 ? weight[0] : bias;
  return net.weighted("Conv", x, std::move(weight), 0, count,
                      {{"pads", pads}, {"strides", strides}, {"group", group}});
}

inline ValueId clip(NetworkBuilder& net, ValueId x, float low, float high) {
  return net.op("Clip",
                {x, net.parameter(Tensor::scalar(low)), net.parameter(Tensor::scalar(high))});
}

inline ValueId pool(NetworkBuilder& net, const char* op, ValueId x, Ints kernel, Ints strides,
                    Ints pads, int64_t ceil = 0) {
  return net.move(
      op, {x},
      {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}, {"ceil_mode", ceil}});
}

}  // namespace octet::test
