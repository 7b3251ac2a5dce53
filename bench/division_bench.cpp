// Integer forms of x / y, for a computed y > 0, inside a block of linear attention (ReLU kernels,
// as EfficientViT's: https://arxiv.org/pdf/2205.14756). Each form is calibrated, solved and run in
// the integers of ONNX Runtime, and compared with the block in float. Prints the ratio of signal to
// quantization noise (SQNR, in dB): the median over the seeds, the lowest and the highest. The rows
// compare the noise of the form that octet takes with that of each other form, seed by seed.
//
//     ./dev bench division [--json FILE] [SEEDS]

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cmath>
#include <format>
#include <print>
#include <utility>

#include "dialects/dialect.h"
#include "engine/executor.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/exact.h"
#include "quant/solve.h"
#include "rows.h"

namespace {

using namespace octet;
using bench::median;

constexpr int64_t kTokens = 49;
constexpr int64_t kSize = 16;
constexpr int64_t kCalibration = 256;
constexpr int64_t kTested = 256;

class Block {
 public:
  using Divide = ValueId (*)(Block& block, ValueId x, ValueId y);

  Graph graph;

  /// Put out: the quotient, and the projection behind it.
  Block(Divide divide, const Tensor& projection) {
    const ValueId x = graph.add_input("qkv", DType::Float32, {-1, kTokens, 3 * kSize});
    const std::vector<ValueId> parts = split(x);
    const ValueId q = op("Relu", {parts[0]});
    const ValueId k =
        op("Transpose", {op("Relu", {parts[1]})}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
    Tensor ones(DType::Float32, {kTokens, 1});
    std::ranges::fill(ones.as<float>(), 1.0F);
    const ValueId sum = op("MatMul", {k, graph.add_constant("ones", std::move(ones))});
    const ValueId above = op("MatMul", {q, op("MatMul", {k, parts[2]})});
    const ValueId below = op("Add", {op("MatMul", {q, sum}), number(1e-15F)});
    const ValueId quotient = divide(*this, above, below);
    graph.add_output(quotient);
    graph.add_output(op("MatMul", {quotient, graph.add_constant("weight", projection)}));
  }

  ValueId op(const std::string& name, std::vector<ValueId> inputs,
             std::map<std::string, Attribute> attributes = {}) {
    return graph.add_op(name, name, std::move(inputs), std::move(attributes));
  }
  ValueId number(float value) { return graph.add_constant("number", Tensor::scalar(value)); }
  /// 2^-floor(log2 y)
  ValueId exponent(ValueId y) {
    const float ln2 = std::log(2.0F);
    const ValueId log = op("Mul", {op("Log", {y}), number(1 / ln2)});
    return op("Exp", {op("Mul", {op("Floor", {log}), number(-ln2)})});
  }

 private:
  std::vector<ValueId> split(ValueId x) {
    const std::vector<int64_t> sizes(3, kSize);
    Node node{.name = "split",
              .op = "Split",
              .inputs = {x, graph.add_constant("sizes", Tensor::vector(sizes))},
              .outputs = {},
              .attributes = {{"axis", int64_t{2}}}};
    for (const char* part : {"q", "k", "v"}) node.outputs.push_back(graph.add_value(part));
    const std::vector<ValueId> parts = node.outputs;
    graph.add_node(std::move(node));
    return parts;
  }
};

struct Form {
  std::string_view name;
  Block::Divide divide;
};

const std::vector<Form>& forms() {
  static const std::vector<Form> all{
      {"x * table(1/y)", [](Block& b, ValueId x, ValueId y) { return b.op("Div", {x, y}); }},
      {"(x * table(y^-1/2)) * table(y^-1/2)",
       [](Block& b, ValueId x, ValueId y) {
         const ValueId root = b.op("Reciprocal", {b.op("Sqrt", {y})});
         return b.op("Mul", {b.op("Mul", {x, root}), root});
       }},
      {"(x * table(|y|^-1/2)) * table(sign y |y|^-1/2)",
       [](Block& b, ValueId x, ValueId y) {
         const auto root = [&] { return b.op("Reciprocal", {b.op("Sqrt", {b.op("Abs", {y})})}); };
         const ValueId signed_root = b.op("Mul", {b.op("Sign", {y}), root()});
         return b.op("Mul", {b.op("Mul", {x, root()}), signed_root});
       }},
      {"(x * table(2^-e)) * table(2^e / y)",
       [](Block& b, ValueId x, ValueId y) {
         const ValueId mantissa = b.op("Mul", {y, b.exponent(y)});
         const ValueId scaled = b.op("Mul", {x, b.exponent(y)});
         return b.op("Mul", {scaled, b.op("Reciprocal", {mantissa})});
       }},
  };
  return all;
}

struct Data {
  at::Tensor calibration;
  at::Tensor tested;
  Tensor projection;
};

/// Normal numbers; each image's q, k and v on scales e^(spread * a normal number).
Data draw(int seed, double spread) {
  at::manual_seed(static_cast<uint64_t>(seed));
  const auto images = [&](int64_t count) {
    const at::Tensor scales = at::exp(at::randn({count, 1, 3, 1}) * spread);
    return (at::randn({count, kTokens, 3, kSize}) * scales).flatten(2).contiguous();
  };
  Data data{images(kCalibration), images(kTested), {}};
  data.projection = from_torch(at::randn({kSize, kSize}) / std::sqrt(static_cast<double>(kSize)));
  return data;
}

struct Score {
  double quotient = 0;
  double image = 0;  ///< of the quotient, median over the images
  double projection = 0;
  size_t operators = 0;
};

double decibels(const at::Tensor& wanted, const at::Tensor& made) {
  const double noise = (wanted - made).square().sum().item<double>();
  return 10 * std::log10(wanted.square().sum().item<double>() / noise);
}

/// An operator per node, but one for all that a table computes.
size_t operators(const Graph& graph, const Placement& placement) {
  size_t count = graph.order().size();
  for (const auto& [result, chain] : placement.chains) count -= chain.nodes.size() - 1;
  return count;
}

Score measure(const Form& form, const Data& data) {
  const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
  const TargetSet targets(names);
  Block block(form.divide, data.projection);
  Graph& graph = block.graph;
  infer_shapes(graph);
  Interpretation plain;
  const auto wanted = Executor(graph).run({&data.tested, 1}, plain);
  lower(graph, [&](std::string_view op) { return targets.supports(op); });
  const Placement placement = place(graph, targets);
  bool given = false;
  const auto next = [&](std::vector<float>& out) -> int64_t {
    if (std::exchange(given, true)) return 0;
    const float* numbers = data.calibration.const_data_ptr<float>();
    out.assign(numbers, numbers + data.calibration.numel());
    return kCalibration;
  };
  const QuantTable table = solve(graph, placement, calibrate(graph, placement, next, {}));
  ExactSimulation exact(graph, placement, table, onnxruntime_dialect());
  const auto made = Executor(graph).run({&data.tested, 1}, exact);
  std::vector<double> images;
  for (int64_t i = 0; i < kTested; ++i) images.push_back(decibels(wanted[0][i], made[0][i]));
  return {decibels(wanted[0], made[0]), median(images), decibels(wanted[1], made[1]),
          operators(graph, placement)};
}

std::string spread_of(const std::vector<Score>& scores, double Score::* field) {
  std::vector<double> numbers;
  for (const Score& score : scores) numbers.push_back(score.*field);
  const auto [low, high] = std::ranges::minmax(numbers);
  return std::format("{:5.1f} ({:.1f} to {:.1f})", median(numbers), low, high);
}

/// The form that lower() takes where an operator of division is missing.
constexpr size_t kTaken = 2;

/// Noise over signal, as amplitudes, seed by seed.
std::vector<double> noise(const std::vector<Score>& scores) {
  std::vector<double> shares;
  for (const Score& score : scores) shares.push_back(std::pow(10, -score.quotient / 20));
  return shares;
}

void measure_spread(double spread, int seeds, bench::Table& table) {
  std::vector<std::vector<Score>> scores;
  std::println("scales of q, k, v per image: e^({} N); seeds 1 to {}", spread, seeds);
  std::println("{:46} | {:22} | {:22} | {:22} | operators", "form", "quotient, all images",
               "quotient, median image", "projection, all images");
  for (const Form& form : forms()) {
    std::vector<Score>& own = scores.emplace_back();
    for (int seed = 1; seed <= seeds; ++seed) own.push_back(measure(form, draw(seed, spread)));
    std::println("{:46} | {:22} | {:22} | {:22} | {}", form.name, spread_of(own, &Score::quotient),
                 spread_of(own, &Score::image), spread_of(own, &Score::projection),
                 own[0].operators);
  }
  for (size_t i = 0; i < scores.size(); ++i) {
    if (i == kTaken) continue;
    table.add(bench::compare(std::format("e^({} N), against {}", spread, forms()[i].name),
                             "noise of the quotient / signal", noise(scores[kTaken]),
                             noise(scores[i])));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto work = [](const bench::Options& options, bench::Table& table) {
    const int seeds = bench::count_argument(options, 0, "the number of seeds", 9);
    const at::NoGradGuard no_grad;
    for (const double spread : {0.0, 0.25, 0.5, 1.0}) measure_spread(spread, seeds, table);
  };
  return bench::run("division", {argv, static_cast<size_t>(argc)}, work);
}
