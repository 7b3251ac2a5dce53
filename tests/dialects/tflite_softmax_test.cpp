// Softmax, its logarithm and normalization to length one: the dialects against TFLite.
#include "dialects/tflite_case.h"

namespace octet {
namespace {

using test::TfliteCase;

const QuantParams kShares{.scale = {1.0F / 256}, .zero_point = {-128}};

TEST(TfliteDialect, ComputesSoftmaxOfClasses) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const Shape shape{1, net.draw(1, 12), net.draw(1, 200)};
    const ValueId x = net.input(shape, net.grid(net.power(-18, seed % 5 == 0 ? 20 : -2)));
    net.node("Softmax", {x}, {{"axis", int64_t{-1}}});
    net.write(kShares);
    net.expect_equal();
  }
}

TEST(TfliteDialect, ComputesSoftmaxOfChannels) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const ValueId x = net.input({1, net.draw(1, 70), 4, 5}, net.grid(net.power(-8, -2)));
    net.node("Softmax", {x}, {{"axis", int64_t{1}}});
    net.write(kShares);
    net.expect_equal();
  }
}

TEST(TfliteDialect, ComputesLogSoftmax) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const Shape shape{1, net.draw(1, 12), net.draw(1, 200)};
    const ValueId x = net.input(shape, net.grid(net.power(-10, 3)));
    net.node("LogSoftmax", {x}, {{"axis", int64_t{-1}}});
    net.write_as(tflite::BuiltinOperator_LOG_SOFTMAX, 2, tflite::LogSoftmaxOptionsT{},
                 {.scale = {16.0F / 256}, .zero_point = {127}}, shape);
    net.expect_equal();
  }
}

TEST(TfliteDialect, NormalizesToLengthOne) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const Shape shape{1, net.draw(1, 12), net.draw(1, 200)};
    const ValueId x = net.input(shape, net.grid(net.power(-10, 3)));
    net.node("LpNormalization", {x}, {{"axis", int64_t{-1}}});
    net.write_as(tflite::BuiltinOperator_L2_NORMALIZATION, 2, tflite::L2NormOptionsT{},
                 {.scale = {1.0F / 128}, .zero_point = {0}}, shape);
    net.expect_equal();
  }
}

}  // namespace
}  // namespace octet
