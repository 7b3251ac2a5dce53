#include <algorithm>

#include "api/bad_images.h"
#include "api/certify.h"
#include "api/outputs.h"
#include "api/stages.h"
#include "base/fail.h"
#include "base/file.h"
#include "eval/perplexity.h"
#include "eval/score.h"
#include "octet/octet.h"
#include "quant/target.h"

namespace octet {
namespace {

/// What a file's operators compute in, as its format is called.
std::string_view arithmetic_of(Session& session) {
  const auto uses = session.operators();
  const auto any = [&](std::string_view type) {
    return std::ranges::any_of(
        uses, [&](const OperatorUse& use) { return use.arithmetic.ends_with(type); });
  };
  return any("int16")          ? " INT16X8"
         : any("int4-weights") ? " INT4 weights"
         : any("int8-weights") ? " INT8 weights"
         : any("dynamic-int8") ? " dynamic INT8"
         : any("int8")         ? " INT8"
                               : " FP32";
}

void check_options(const QuantizeOptions& options) {
  if (options.calibration_images < 1) {
    fail(Code::Usage, "{} calibration images; wanted 1 or more", options.calibration_images);
  }
  if (options.verify_images < 0 || options.verify_limit.value_or(0) < 0) {
    fail(Code::Usage, "verification of {} images with a limit of {} steps; wanted 0 or more",
         options.verify_images, options.verify_limit.value_or(0));
  }
  if (!(options.migration >= 0 && options.migration <= 1)) {
    fail(Code::Usage, "the migration is {}; wanted 0 to 1", options.migration);
  }
}

/// The images that a quantization looks at.
struct Images {
  DataSource source;
  std::unique_ptr<Dataset> dataset;
  Split parts;
};

Images open_images(const std::filesystem::path& data, uint64_t seed) {
  if (data.empty()) {
    fail(Code::Usage,
         "no data is given to calibrate with; wanted a data description (YAML), or the ranges "
         "'dynamic'");
  }
  const DataRecipe recipe = read_data(data);
  Images images{.source = {}, .dataset = open_part(recipe.train, "train"), .parts = {}};
  images.source = *recipe.train;
  images.parts = split(*images.dataset, recipe.validation, seed);
  return images;
}

QuantizeResult quantize_dynamically(const Graph& graph, const Deployment& deployment,
                                    const std::filesystem::path& data,
                                    const std::vector<std::filesystem::path>& outputs) {
  if (!data.empty()) {
    fail(Code::Usage, "{}: dynamic ranges need no data; leave it out, and see 'octet eval'",
         data.string());
  }
  for (const auto& output : outputs) {
    if (output.extension() != ".octet") continue;
    fail(Code::Usage, "{}: networks of dynamic ranges have no .octet file; wanted .onnx or .tflite",
         output.string());
  }
  const QuantizedNetwork network = quantize_weights(graph, deployment);
  const auto files = files_of(network, outputs);
  for (size_t i = 0; i < outputs.size(); ++i) write_file(outputs[i], files[i]);
  return {
      .passes = network.log, .in_float = {}, .notes = {}, .certificates = {}, .calibration = {}};
}

/// Weights of products in groups: to the nearest, or by the one method that there is for them.
QuantizeResult quantize_weights_only(const Graph& graph, const Deployment& deployment,
                                     const std::filesystem::path& data,
                                     const std::vector<std::filesystem::path>& outputs,
                                     const QuantizeOptions& options, const ProgressSink& progress) {
  if (!options.calibrations.empty() || !options.keep_calibration.empty()) {
    fail(Code::Usage, "weight-only ranges keep no calibration; leave it out");
  }
  if (!data.empty() && options.methods.empty()) {
    fail(Code::Usage,
         "{}: rounding weights to the nearest needs no data; leave it out, or choose the method "
         "'gptq'",
         data.string());
  }
  for (const auto& output : outputs) {
    if (output.extension() == ".onnx") continue;
    fail(Code::Usage, "{}: weight-only ranges have no such file; wanted .onnx", output.string());
  }
  std::optional<Images> images;
  std::optional<CalibrationImages> looked;
  if (!data.empty()) {
    images = open_images(data, options.seed);
    looked.emplace(*images->dataset, images->source, images->parts);
  }
  QuantizedNetwork network = quantize_in_groups(
      graph, deployment, looked ? &*looked : nullptr,
      {.images = options.calibration_images, .methods = options.methods}, progress);
  network.seed = options.seed;
  const auto files = files_of(network, outputs);
  for (size_t i = 0; i < outputs.size(); ++i) write_file(outputs[i], files[i]);
  return {.passes = network.log,
          .in_float = {},
          .notes = network.methods,
          .certificates = {},
          .calibration = {}};
}

}  // namespace

QuantizeResult quantize(const std::filesystem::path& model, const std::filesystem::path& data,
                        const std::vector<std::filesystem::path>& outputs,
                        const QuantizeOptions& options, const ProgressSink& progress) {
  check_options(options);
  refuse_overwriting(model, outputs);
  const Deployment deployment =
      deployment_of({.targets = targets_of(outputs, options.targets, options.activation_bits),
                     .weights = options.weights,
                     .activations = options.activations,
                     .io = options.io,
                     .saturation = options.saturation,
                     .form = options.form,
                     .activation_bits = options.activation_bits,
                     .ranges = options.ranges,
                     .weight_bits = options.weight_bits,
                     .group_size = options.group_size,
                     .overrides = parse_overrides(options.overrides),
                     .weight_range = options.weight_range,
                     .scales = options.scales});
  const std::vector<InputShape> shapes = parse_input_shapes(options.shapes);
  if (deployment.scheme.ranges == Scheme::Ranges::Dynamic) {
    return quantize_dynamically(read_network(model, shapes), deployment, data, outputs);
  }
  if (deployment.scheme.ranges == Scheme::Ranges::WeightOnly) {
    return quantize_weights_only(read_network(model, shapes), deployment, data, outputs, options,
                                 progress);
  }
  if (std::ranges::contains(options.methods, "gptq")) {
    fail(Code::Usage,
         "the method 'gptq' rounds weights in groups; wanted the ranges 'weight-only', or another "
         "method");
  }
  const CalibrationSettings settings{.images = options.calibration_images,
                                     .observer = options.observer,
                                     .percentile = options.percentile,
                                     .norm = options.norm,
                                     .skip_bad_images = skips_bad_images(options.bad_images),
                                     .methods = options.methods,
                                     .migration = options.migration};
  const bool kept = !options.calibrations.empty();
  std::optional<Images> images;
  if (!kept || !data.empty()) images = open_images(data, options.seed);
  std::optional<CalibrationImages> looked;
  if (images) {
    looked.emplace(*images->dataset, images->source, images->parts, options.keep_calibration);
  }
  const CalibrationImages* seen = looked ? &*looked : nullptr;
  Graph graph = read_network(model, shapes);
  ObservedNetwork observed =
      kept ? observe_network(std::move(graph), deployment, options.calibrations, settings, seen,
                             progress)
           : observe_network(std::move(graph), deployment, *looked, settings, progress);
  QuantizedNetwork network =
      solve_network(std::move(observed), deployment, settings, seen, progress);
  network.seed = options.seed;
  const auto files = files_of(network, outputs);
  QuantizeResult result{.passes = network.log,
                        .in_float = network.in_float,
                        .notes = notes_on(network, deployment.targets),
                        .certificates = {},
                        .calibration = network.calibration};
  for (size_t i = 0; i < outputs.size(); ++i) {
    write_file(outputs[i], files[i]);
    if (outputs[i].extension() == ".octet" || !images) continue;
    const Verification verification{
        *images->dataset, images->parts, {options.verify_images, options.verify_limit}, progress};
    auto certificate = certify_or_remove(network, outputs[i], verification);
    if (certificate) result.certificates.push_back(std::move(*certificate));
  }
  return result;
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
  State state{.name = model.stem().string(),
              .format = std::string(model.extension() == ".onnx" ? "ONNX" : "TFLite")
                            .append(arithmetic_of(*session)),
              .runtime = session->runtime(),
              .path = model.string(),
              .size_bytes = static_cast<int64_t>(std::filesystem::file_size(model))};
  if (is_text(*dataset)) {
    const TextScore measured = score_text(*session, *dataset, options.batch, "evaluate", progress);
    state.images = measured.sequences;
    state.top1 = measured.top1;
    state.top5 = measured.top5;
    state.perplexity = measured.perplexity;
  } else {
    const Score measured = score(*session, *dataset, options.batch, "evaluate", progress);
    state.images = measured.images;
    state.top1 = measured.top1;
    state.top5 = measured.top5;
  }
  state.latency_ms = median_latency(*open_session(model, 1), options.latency_runs);
  return state;
}

}  // namespace octet
