#include <algorithm>

#include "api/outputs.h"
#include "api/stages.h"
#include "base/fail.h"
#include "eval/score.h"
#include "octet/octet.h"
#include "quant/target.h"

namespace octet {

QuantizeResult quantize(const std::filesystem::path& model, const std::filesystem::path& data,
                        const std::vector<std::filesystem::path>& outputs,
                        const QuantizeOptions& options, const ProgressSink& progress) {
  if (options.calibration_images < 1) {
    fail(Code::Usage, "{} calibration images; wanted 1 or more", options.calibration_images);
  }
  const OnnxForm form = onnx_form_named(options.form);
  const TargetSet targets(targets_of(outputs, options.targets));
  const std::vector<InputShape> shapes = parse_input_shapes(options.shapes);
  const DataRecipe recipe = read_data(data);
  const auto dataset = open_part(recipe.train, "train");
  const Split parts = split(*dataset, recipe.validation, options.seed);
  const CalibrationSettings settings{.images = options.calibration_images,
                                     .observer = options.observer,
                                     .percentile = options.percentile};
  const QuantizedNetwork network =
      quantize_network(read_network(model, shapes), targets, *dataset, parts, settings, progress);
  write_quantized(network, outputs, form);
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
