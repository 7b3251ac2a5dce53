// Operators of one tensor on all 256 integers, and QUANTIZE: the dialects against TFLite.
#include "dialects/tflite_case.h"

namespace octet {
namespace {

using test::TfliteCase;

at::Tensor all_int8() {
  at::Tensor integers = at::empty({1, 256}, at::kInt);
  for (int i = 0; i < 256; ++i) integers.mutable_data_ptr<int32_t>()[i] = i - 128;
  return integers;
}

/// The grid of the result from that of the input.
using GridOf = std::function<QuantParams(TfliteCase&, float)>;

QuantParams close(TfliteCase& net, float in) { return net.grid(in * net.power(-3, 3)); }
QuantParams any(TfliteCase& net, float in) { return net.grid(in * net.power(-20, 20)); }

void compare(const char* op, std::map<std::string, Attribute> attributes, unsigned seed,
             float scale, const GridOf& grid_of) {
  SCOPED_TRACE(std::format("{} {} {}", op, seed, scale));
  TfliteCase net(seed);
  const ValueId x = net.input_of(all_int8(), net.grid(scale));
  net.node(op, {x}, std::move(attributes));
  net.write(grid_of(net, scale));
  net.expect_equal();
}

TEST(TfliteDialect, ComputesSigmoidAndTanh) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const float scale = std::exp2(static_cast<float>(random() % 4000) / 100.0F - 20);
    compare("Sigmoid", {}, seed, scale, [](TfliteCase&, float) {
      return QuantParams{.scale = {1.0F / 256}, .zero_point = {-128}};
    });
    compare("Tanh", {}, seed, scale, [](TfliteCase&, float) {
      return QuantParams{.scale = {1.0F / 128}, .zero_point = {0}};
    });
  }
}

TEST(TfliteDialect, ComputesLeakyRelu) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::mt19937 random(seed);
    const float scale = std::exp2(static_cast<float>(random() % 400) / 10.0F - 20);
    const float alpha = std::exp2(-static_cast<float>(random() % 100) / 10.0F);
    compare("LeakyRelu", {{"alpha", alpha}}, seed, scale, seed % 4 == 0 ? any : close);
  }
}

TEST(TfliteDialect, ComputesHardSwish) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const float scale = std::exp2(static_cast<float>(random() % 200) / 10.0F - 14);
    compare("HardSwish", {}, seed, scale,
            [](TfliteCase& net, float in) { return net.grid(in * net.power(-6.9, 9)); });
  }
}

TEST(TfliteDialect, ComputesReluOfItsOwn) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::mt19937 random(seed);
    const float scale = std::exp2(static_cast<float>(random() % 400) / 10.0F - 20);
    compare("Relu", {}, seed, scale, seed % 4 == 0 ? any : close);
  }
}

TEST(TfliteDialect, ClipsByABoundOfSixAndByTheGrid) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float scale = net.power(-10, 4);
    const ValueId x = net.input_of(all_int8(), net.grid(scale));
    const bool six = seed % 2 == 0;
    const float high = six ? 6.0F : 1.0F;
    net.node("Clip", {x, net.parameter(Tensor::scalar(0)), net.parameter(Tensor::scalar(high))});
    net.write(six ? close(net, scale) : QuantParams{.scale = {1.0F / 255}, .zero_point = {-128}});
    EXPECT_EQ(net.operators(), six ? "RELU6" : "QUANTIZE");
    net.expect_equal();
  }
}

template <class Options>
void compare_as(const char* op, tflite::BuiltinOperator code, int version, Options options,
                unsigned seed, std::map<std::string, Attribute> attributes, double coarsest) {
  SCOPED_TRACE(std::format("{} {}", op, seed));
  TfliteCase net(seed);
  const float scale = net.power(-12, coarsest);
  const ValueId x = net.input_of(all_int8(), net.grid(scale));
  net.node(op, {x}, std::move(attributes));
  net.write_as(code, version, std::move(options), close(net, scale), {1, 256});
  // The reference kernels have no ELU.
  net.expect_equal(code == tflite::BuiltinOperator_ELU ? std::vector{false}
                                                       : std::vector{false, true});
}

TEST(TfliteDialect, ComputesTablesOfFloatFunctions) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    compare_as("Exp", tflite::BuiltinOperator_EXP, 2, tflite::ExpOptionsT{}, seed, {}, 4);
    compare_as("Elu", tflite::BuiltinOperator_ELU, 1, tflite::AbsOptionsT{}, seed, {}, 4);
    compare_as("Abs", tflite::BuiltinOperator_ABS, 2, tflite::AbsOptionsT{}, seed, {}, 4);
    tflite::GeluOptionsT gelu;
    gelu.approximate = seed % 2 == 0;
    compare_as("Gelu", tflite::BuiltinOperator_GELU, 2, gelu, seed,
               {{"approximate", std::string(gelu.approximate ? "tanh" : "none")}}, 4);
  }
}

/// The first operator of a file with its float input.
std::vector<int8_t> quantized_by_tflite(const QuantParams& grid, const std::vector<float>& real,
                                        bool reference) {
  Graph graph;
  QuantTable table;
  const ValueId x = graph.add_input("x", DType::Float32, {1, static_cast<int64_t>(real.size())});
  table.set(x, grid);
  const ValueId y = graph.add_op("Relu", "relu", {x});
  table.set(y, grid);
  graph.add_output(y);
  infer_shapes(graph);
  const std::vector<std::byte> bytes = write_tflite(graph, table);
  const tflite::Model* model = tflite::GetModel(bytes.data());
  std::unique_ptr<tflite::Interpreter> made;
  tflite::InterpreterOptions options;
  options.SetPreserveAllTensors();
  const tflite::ops::builtin::BuiltinRefOpResolver reference_kernels;
  const tflite::ops::builtin::BuiltinOpResolverWithoutDefaultDelegates kernels;
  const tflite::OpResolver& resolver =
      reference ? static_cast<const tflite::OpResolver&>(reference_kernels) : kernels;
  tflite::InterpreterBuilder(model, resolver, tflite::DefaultErrorReporter(), &options)(&made);
  EXPECT_EQ(made->AllocateTensors(), kTfLiteOk);
  std::ranges::copy(real, made->typed_input_tensor<float>(0));
  EXPECT_EQ(made->Invoke(), kTfLiteOk);
  const int out = made->node_and_registration(0)->first.outputs->data[0];
  const auto* integers = made->typed_tensor<int8_t>(out);
  return {integers, integers + real.size()};
}

TEST(TfliteDialect, QuantizesRealNumbers) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    TfliteCase net(seed);
    const QuantParams grid = net.grid(seed == 0 ? 0.1F : net.power(-20, 20));
    std::vector<float> real{0.0F, -0.0F, 1e30F, -1e30F, std::numeric_limits<float>::infinity()};
    for (int i = -600; i <= 600; ++i) {  // halves, and their neighbours
      const float half = static_cast<float>(i) * 0.5F * grid.scale[0];
      real.push_back(half);
      real.push_back(std::nextafter(half, 1e30F));
      real.push_back(std::nextafter(half, -1e30F));
    }
    for (int i = 0; i < 2000; ++i) {
      real.push_back(static_cast<float>(net.real(-300, 300)) * grid.scale[0]);
    }
    for (const bool reference : {false, true}) {
      SCOPED_TRACE(std::format("{} {}", seed, reference));
      const Dialect& dialect = reference ? tflite_reference_dialect() : tflite_dialect();
      const at::Tensor given =
          to_torch(Tensor::of<float>({1, static_cast<int64_t>(real.size())}, real));
      EXPECT_EQ(test::in_file(dialect.quantize(given, grid)),
                quantized_by_tflite(grid, real, reference));
    }
  }
}

}  // namespace
}  // namespace octet
