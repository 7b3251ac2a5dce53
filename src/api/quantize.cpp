#include <algorithm>
#include <set>

#include "api/stages.h"
#include "base/fail.h"
#include "base/file.h"
#include "eval/score.h"
#include "octet/octet.h"
#include "quant/sixteen_bits.h"
#include "quant/target.h"

namespace octet {
namespace {

/// The target that an output's extension names: the first with such files, and with kernels of such
/// activations.
std::string target_of(const std::filesystem::path& output, int activation_bits) {
  bool known = false;
  for (const TargetProfile& target : all_targets()) {
    if (output.extension() != target.extension) continue;
    if (target.activation_bits == activation_bits) return std::string(target.name);
    known = true;
  }
  if (known) {
    fail(Code::Usage,
         "{}: no runtime of {} files has integer kernels of {}-bit activations; wanted 8 bits{}",
         output.string(), output.extension().string(), activation_bits,
         activation_bits == 16 ? ", or a .tflite file" : "");
  }
  fail(Code::Usage, "{}: the format is told by the extension; wanted .onnx or .tflite",
       output.string());
}

/// What a file's operators compute in, as its format is called.
std::string_view arithmetic_of(Session& session) {
  const auto uses = session.operators();
  const auto any = [&](std::string_view type) {
    return std::ranges::any_of(
        uses, [&](const OperatorUse& use) { return use.arithmetic.ends_with(type); });
  };
  return any("int16")          ? " INT16X8"
         : any("dynamic-int8") ? " dynamic INT8"
         : any("int8")         ? " INT8"
                               : " FP32";
}

std::vector<InputShape> parse_shapes(const std::vector<std::string>& texts) {
  std::vector<InputShape> shapes;
  for (const std::string& text : texts) {
    const auto shape = parse_input_shape(text);
    if (!shape) {
      fail(Code::Usage, "'{}' is no shape of an input; wanted {}", text, kInputShapeForm);
    }
    shapes.push_back(*shape);
  }
  return shapes;
}

Scheme::Ranges parse_ranges(const QuantizeOptions& options) {
  if (options.ranges == "static") return Scheme::Ranges::Static;
  if (options.ranges != "dynamic") {
    fail(Code::Usage, "ranges are '{}'; wanted 'static' or 'dynamic'", options.ranges);
  }
  if (options.activation_bits != 8) {
    fail(Code::Usage, "dynamic ranges leave activations real; wanted 8 bits, not {}",
         options.activation_bits);
  }
  return Scheme::Ranges::Dynamic;
}

Demands demands_of(const std::vector<std::filesystem::path>& outputs,
                   const QuantizeOptions& options) {
  std::vector<std::string> names = options.targets;
  for (const auto& output : outputs) {
    const std::string name = target_of(output, options.activation_bits);
    if (options.targets.empty()) names.push_back(name);
    if (!std::filesystem::is_directory(output.has_parent_path() ? output.parent_path()
                                                                : std::filesystem::path("."))) {
      fail(Code::Io, "cannot write {}: its folder does not exist", output.string());
    }
  }
  Demands demands{
      .targets = TargetSet(names),
      .scheme = {.activation_bits = options.activation_bits, .ranges = parse_ranges(options)}};
  check_activation_bits(demands.targets, demands.scheme);
  return demands;
}

/// The files that a quantization reads.
struct Sources {
  std::filesystem::path model;
  std::vector<InputShape> shapes;
  std::filesystem::path data;  ///< empty: none
};

QuantizedNetwork weights_alone(const Sources& from, const Demands& demands) {
  if (!from.data.empty()) {
    fail(Code::Usage, "{}: dynamic ranges need no data; leave it out, and see 'octet eval'",
         from.data.string());
  }
  return quantize_weights(read_network(from.model, from.shapes), demands);
}

QuantizedNetwork calibrated(const Sources& from, const Demands& demands,
                            const QuantizeOptions& options, const ProgressSink& progress) {
  if (from.data.empty()) {
    fail(Code::Usage,
         "no data is given to calibrate with; wanted a data description (YAML), or the ranges "
         "'dynamic'");
  }
  const DataRecipe recipe = read_data(from.data);
  const auto dataset = open_part(recipe.train, "train");
  const Split parts = split(*dataset, recipe.validation, options.seed);
  const CalibrationSettings settings{.images = options.calibration_images,
                                     .observer = options.observer,
                                     .percentile = options.percentile};
  return quantize_network(read_network(from.model, from.shapes), demands, *dataset, parts, settings,
                          progress);
}

}  // namespace

QuantizeResult quantize(const std::filesystem::path& model, const std::filesystem::path& data,
                        const std::vector<std::filesystem::path>& outputs,
                        const QuantizeOptions& options, const ProgressSink& progress) {
  if (outputs.empty()) fail(Code::Usage, "no output file is given; wanted a .onnx or .tflite path");
  if (options.calibration_images < 1) {
    fail(Code::Usage, "{} calibration images; wanted 1 or more", options.calibration_images);
  }
  const Demands demands = demands_of(outputs, options);
  const Sources sources{model, parse_shapes(options.shapes), data};
  const QuantizedNetwork network = demands.scheme.ranges == Scheme::Ranges::Dynamic
                                       ? weights_alone(sources, demands)
                                       : calibrated(sources, demands, options, progress);
  // All files or none.
  std::vector<std::vector<std::byte>> files;
  for (const auto& output : outputs) files.push_back(quantized_file(network, output));
  for (size_t i = 0; i < outputs.size(); ++i) write_file(outputs[i], files[i]);
  return {.passes = network.log, .in_float = network.in_float};
}

State evaluate(const std::filesystem::path& model, const std::filesystem::path& data,
               const EvaluateOptions& options, const ProgressSink& progress) {
  if (options.batch < 1 || options.latency_runs < 1) {
    fail(Code::Usage, "batch is {} and latency runs {}; wanted 1 or more", options.batch,
         options.latency_runs);
  }
  if (options.part != "test" && options.part != "train") {
    fail(Code::Usage, "part is '{}'; wanted 'test' or 'train'", options.part);
  }
  const DataRecipe recipe = read_data(data);
  const auto dataset = open_part(options.part == "test" ? recipe.test : recipe.train, options.part);
  const auto session = open_session(model, 0);
  const Score measured = score(*session, *dataset, options.batch, "evaluate", progress);
  return {.name = model.stem().string(),
          .format = std::string(model.extension() == ".onnx" ? "ONNX" : "TFLite")
                        .append(arithmetic_of(*session)),
          .runtime = session->runtime(),
          .path = model.string(),
          .images = measured.images,
          .top1 = measured.top1,
          .top5 = measured.top5,
          .size_bytes = static_cast<int64_t>(std::filesystem::file_size(model)),
          .latency_ms = median_latency(*open_session(model, 1), options.latency_runs)};
}

}  // namespace octet
