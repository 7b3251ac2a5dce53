#include <algorithm>
#include <set>

#include "api/stages.h"
#include "base/fail.h"
#include "base/file.h"
#include "eval/score.h"
#include "octet/octet.h"
#include "quant/target.h"

namespace octet {
namespace {

/// The target that an output's extension names: the first with such files.
std::string target_of(const std::filesystem::path& output) {
  for (const TargetProfile& target : all_targets()) {
    if (output.extension() == target.extension) return std::string(target.name);
  }
  fail(Code::Usage, "{}: the format is told by the extension; wanted .onnx or .tflite",
       output.string());
}

}  // namespace

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

QuantizeResult quantize(const std::filesystem::path& model, const std::filesystem::path& data,
                        const std::vector<std::filesystem::path>& outputs,
                        const QuantizeOptions& options, const ProgressSink& progress) {
  if (outputs.empty()) fail(Code::Usage, "no output file is given; wanted a .onnx or .tflite path");
  if (options.calibration_images < 1) {
    fail(Code::Usage, "{} calibration images; wanted 1 or more", options.calibration_images);
  }
  std::vector<std::string> names = options.targets;
  for (const auto& output : outputs) {
    const std::string name = target_of(output);
    if (options.targets.empty()) names.push_back(name);
    if (!std::filesystem::is_directory(output.has_parent_path() ? output.parent_path()
                                                                : std::filesystem::path("."))) {
      fail(Code::Io, "cannot write {}: its folder does not exist", output.string());
    }
  }
  const Deployment deployment = deployment_of(
      {names, options.weights, options.activations, options.io, options.saturation});
  const std::vector<InputShape> shapes = parse_shapes(options.shapes);
  const DataRecipe recipe = read_data(data);
  const auto dataset = open_part(recipe.train, "train");
  const Split parts = split(*dataset, recipe.validation, options.seed);
  const CalibrationSettings settings{.images = options.calibration_images,
                                     .observer = options.observer,
                                     .percentile = options.percentile};
  const QuantizedNetwork network =
      quantize_network(read_network(model, shapes), deployment, {*dataset, *recipe.train, parts},
                       settings, progress);
  // All files or none.
  std::vector<std::vector<std::byte>> files;
  for (const auto& output : outputs) files.push_back(quantized_file(network, output));
  for (size_t i = 0; i < outputs.size(); ++i) write_file(outputs[i], files[i]);
  return {.passes = network.log,
          .in_float = network.in_float,
          .notes = notes_on(network, deployment.targets)};
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
  const auto uses = session->operators();
  const bool integer = std::ranges::any_of(
      uses, [](const OperatorUse& use) { return use.arithmetic.ends_with("int8"); });
  return {.name = model.stem().string(),
          .format = std::string(model.extension() == ".onnx" ? "ONNX" : "TFLite") +
                    (integer ? " INT8" : " FP32"),
          .runtime = session->runtime(),
          .path = model.string(),
          .images = measured.images,
          .top1 = measured.top1,
          .top5 = measured.top5,
          .size_bytes = static_cast<int64_t>(std::filesystem::file_size(model)),
          .latency_ms = median_latency(*open_session(model, 1), options.latency_runs)};
}

}  // namespace octet
