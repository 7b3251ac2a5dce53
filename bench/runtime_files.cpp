#include "runtime_files.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/fail.h"
#include "base/file.h"
#include "child.h"
#include "engine/executor.h"
#include "eval/simulated_session.h"
#include "formats/onnx/onnx_file.h"
#include "formats/tflite/writer.h"
#include "made_networks.h"
#include "octet/octet.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/solve.h"
#include "runtime/session.h"

namespace octet::bench {
namespace {

constexpr int64_t kImages = 4;

std::vector<float> normal_numbers(size_t count) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(count);
  std::ranges::generate(numbers, [&] { return normal(random); });
  return numbers;
}

std::vector<float> channels_last(const std::vector<float>& image, const Shape& shape) {
  const auto channels = static_cast<size_t>(shape[1]);
  const auto pixels = static_cast<size_t>(shape[2] * shape[3]);
  std::vector<float> moved(image.size());
  for (size_t c = 0; c < channels; ++c) {
    for (size_t p = 0; p < pixels; ++p) moved[p * channels + c] = image[c * pixels + p];
  }
  return moved;
}

double decibels(const std::vector<float>& made, const std::vector<float>& wanted) {
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double gap = static_cast<double>(made.at(i)) - wanted[i];
    signal += static_cast<double>(wanted[i]) * wanted[i];
    noise += gap * gap;
  }
  return 10 * std::log10(signal / noise);
}

void check_equal(const std::filesystem::path& file, const std::vector<float>& made,
                 const std::vector<float>& simulated) {
  if (made == simulated) return;
  fail(Code::Runtime, "{}: its output is not what octet simulates ({:.1f} dB); wanted equal bits",
       file.string(), decibels(made, simulated));
}

void check_executor(const Graph& graph, const std::filesystem::path& file,
                    const std::vector<float>& image, const std::vector<float>& wanted) {
  const at::NoGradGuard no_grad;
  Shape shape = graph.value(graph.inputs().at(0)).shape;
  shape.at(0) = 1;
  const at::Tensor input = to_torch(Tensor::of<float>(shape, image));
  Interpretation plain;
  const Tensor made = from_torch(Executor(graph).run({&input, 1}, plain).at(0));
  double largest = 0;
  double gap = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(wanted[i])));
    gap = std::max(gap, std::abs(static_cast<double>(made.as<float>()[i]) - wanted[i]));
  }
  if (gap > 1e-4 * largest) {
    fail(Code::Runtime, "{}: octet and ONNX Runtime differ in float by {:.1e}; wanted 1e-4 or less",
         file.string(), gap / largest);
  }
}

/// ONNX Runtime's quantizer lives in its Python package. What it says goes into a file beside.
void let_onnxruntime_quantize(const std::filesystem::path& model,
                              const std::filesystem::path& calibration,
                              const std::filesystem::path& out, std::string format) {
  if (std::filesystem::exists(out) &&
      std::filesystem::last_write_time(out) >= std::filesystem::last_write_time(model)) {
    return;
  }
  run_child({"python3", OCTET_BENCH_SCRIPTS "/quantize_onnxruntime.py", model.string(),
             calibration.string(), out.string(), std::move(format)},
            out.string() + ".log");
}

QuantTable quantize(Graph& graph, Placement& placement, const std::vector<float>& images) {
  const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
  const TargetSet targets(names);
  simplify(graph);
  lower(graph, [&](std::string_view op) { return targets.supports(op); });
  placement = place(graph, targets);
  bool given = false;
  const auto next = [&](std::vector<float>& out) -> int64_t {
    if (std::exchange(given, true)) return 0;
    out = images;
    return kImages;
  };
  return solve(graph, placement, calibrate(graph, placement, next, {.observer = "minmax"}));
}

}  // namespace

RuntimeFiles make_files(const std::filesystem::path& float_onnx) {
  const std::string stem = float_onnx.stem().string();
  RuntimeFiles files{.float_onnx = float_onnx,
                     .int8_onnx = bench_folder() / (stem + ".int8.onnx"),
                     .int8_tflite = bench_folder() / (stem + ".int8.tflite")};
  Graph graph = read_onnx(float_onnx);
  const Shape shape = graph.value(graph.inputs().at(0)).shape;
  const auto size = static_cast<size_t>(element_count(std::span(shape).subspan(1)));
  const std::vector<float> images = normal_numbers(size * kImages);
  files.image.assign(images.begin(), images.begin() + static_cast<std::ptrdiff_t>(size));
  files.image_channels_last = channels_last(files.image, shape);
  const auto wanted = open_session(float_onnx, 0)->run(files.image, 1);
  check_executor(graph, float_onnx, files.image, wanted);

  Placement placement;
  const QuantTable table = quantize(graph, placement, images);
  write_file(files.int8_onnx, write_onnx(graph, table));
  write_file(files.int8_tflite, write_tflite(graph, table));
  const auto simulated = [&](const Dialect& dialect) {
    return simulate(graph, placement, table, dialect, 0)->run(files.image, 1);
  };
  const auto made = open_session(files.int8_onnx, 0)->run(files.image, 1);
  check_equal(files.int8_onnx, made, simulated(onnxruntime_dialect()));
  check_equal(files.int8_tflite,
              open_session(files.int8_tflite, 0)->run(files.image_channels_last, 1),
              simulated(tflite_dialect()));
  for (const auto& file : {files.int8_onnx, files.int8_tflite}) {
    files.in_float += inspect(file).still_float.size();
  }

  const std::filesystem::path calibration = bench_folder() / (stem + ".images");
  write_file(calibration, std::as_bytes(std::span(images)));
  for (const char* format : {"qdq", "qoperator"}) {
    files.quantizer_onnx.push_back(bench_folder() / (stem + "." + format + ".onnx"));
    let_onnxruntime_quantize(float_onnx, calibration, files.quantizer_onnx.back(), format);
  }
  files.sqnr = decibels(made, wanted);
  files.quantizer_sqnr =
      decibels(open_session(files.quantizer_onnx[0], 0)->run(files.image, 1), wanted);
  return files;
}

}  // namespace octet::bench
