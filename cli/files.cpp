#include <CLI/CLI.hpp>
#include <memory>
#include <print>

#include "commands.h"
#include "octet/octet.h"
#include "progress.h"

namespace octet::cli {

void add_quantize(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("quantize", "post-training quantization of a float ONNX network");
  struct Given {
    std::string model;
    std::string data;
    std::vector<std::string> outputs;
    std::string json;
    QuantizeOptions options;
  };
  auto given = std::make_shared<Given>();
  QuantizeOptions& options = given->options;
  command->add_option("MODEL", given->model, "a float ONNX file")->required();
  command->add_option("--data", given->data, "a data description (YAML); not with dynamic ranges");
  command
      ->add_option(
          "-o,--output", given->outputs,
          "a .onnx or .tflite file; give it twice for both, with the same integers; .octet: "
          "the quantized network itself, for 'octet verify'")
      ->required();
  command->add_option("--target", options.targets,
                      "a target that the integers must fit; default: by the outputs");
  command->add_option("--weights", options.weights,
                      "per-channel or per-tensor; default: the finest that the targets have; of "
                      "weight-only ranges: asymmetric (the default) or symmetric");
  command->add_option("--activations", options.activations, "asymmetric or symmetric")
      ->capture_default_str();
  command->add_option("--weight-range", options.weight_range, "narrow (-127 to 127) or full (-128)")
      ->capture_default_str();
  command->add_option("--scales", options.scales, "any or power-of-two")->capture_default_str();
  command
      ->add_option("--override", options.overrides,
                   "PATTERN=WORDS: what nodes of such names do otherwise, such as '/head/*=float' "
                   "or '/layer3/*=per-tensor,symmetric'; may be repeated, the last one holds")
      ->allow_extra_args(false);
  command->add_option("--io", options.io,
                      "float, int8 or uint8 at the ends of the files; default: by the targets");
  command->add_option("--form", options.form, "of ONNX files: qdq or qoperator")
      ->capture_default_str();
  command->add_option("--images", options.calibration_images, "calibration images")
      ->capture_default_str();
  command
      ->add_option("--observer", options.observer,
                   "minmax, moving-average, percentile, percentile-99.99, percentile-99.999, "
                   "entropy, mse or "
                   "search")
      ->capture_default_str();
  command->add_option("--norm", options.norm, "of mse: the power of errors that is made least")
      ->capture_default_str();
  command
      ->add_option("--bad-images", options.bad_images,
                   "fail or skip: what to do about images that make NaN or infinity")
      ->capture_default_str();
  std::string known = "a method that wins accuracy back without labels; several may be named:";
  for (const auto& [name, summary] : methods()) known += " " + name;
  known += "; of weight-only ranges: gptq";
  command->add_option("--method", options.methods, known)->allow_extra_args(false);
  command
      ->add_option("--migration", options.migration,
                   "of migrate: how far difficulty goes from values (0) into weights (1)")
      ->capture_default_str();
  command
      ->add_option("--calibration", options.calibrations,
                   "a calibration that was kept, instead of images; several are taken together")
      ->allow_extra_args(false);
  command->add_option("--keep-calibration", options.keep_calibration,
                      "a .calib file to write what was seen to");
  command->add_option("--percentile", options.percentile, "share of values that is not clipped")
      ->capture_default_str();
  command
      ->add_option("--activation-bits", options.activation_bits,
                   "8, or 16: TFLite files of 16-bit activations and 8-bit weights")
      ->capture_default_str();
  command
      ->add_option("--ranges", options.ranges,
                   "static; dynamic: integer weights, float activations, no data; or weight-only: "
                   "weights of products in groups, for ONNX Runtime")
      ->capture_default_str();
  command->add_option("--weight-bits", options.weight_bits,
                      "8, or 4 (in TFLite, of convolutions); of weight-only ranges 4, or 8");
  command->add_option("--group", options.group_size,
                      "of weight-only ranges: weights that share a scale: 16, 32, 64, 128 or 256; "
                      "default: 32");
  command->add_option("--seed", options.seed, "of the choice of calibration images")
      ->capture_default_str();
  command
      ->add_option("--shape", options.shapes,
                   "NAME=Nx3x224x224 or Nx3x224x224: sizes of the input that the file leaves open "
                   "(N: any batch)")
      ->allow_extra_args(false);
  command
      ->add_option("--saturation", options.saturation,
                   "avoid or report: what to do about sums of ONNX files that saturate on x86 "
                   "without VNNI")
      ->capture_default_str();
  command
      ->add_option("--verify-images", options.verify_images,
                   "held-back training images that files are verified on; 0: none")
      ->capture_default_str();
  command->add_option(
      "--verify-limit", options.verify_limit,
      "steps of difference that are allowed; default: 0, any behind nodes in float");
  command->add_option("--json", given->json,
                      "also write what is known of the calibration and the files to this file");
  command->callback([given] {
    ProgressPrinter printer;
    const QuantizeResult result =
        quantize(given->model, given->data, {given->outputs.begin(), given->outputs.end()},
                 given->options, printer.sink());
    printer.end_line();
    for (const std::string& line : result.in_float) std::println("note: {}", line);
    for (const std::string& line : result.notes) std::println("note: {}", line);
    for (const Certificate& file : result.certificates) std::println("verified {}", file.summary());
    for (const std::string& output : given->outputs) std::println("wrote {}", output);
    if (!given->json.empty()) write_text(given->json, result.json());
  });
}

void add_eval(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("eval", "accuracy and latency of a file, in the runtime that deploys it");
  struct Given {
    std::string model;
    std::string data;
    std::string json;
    EvaluateOptions options;
  };
  auto given = std::make_shared<Given>();
  command->add_option("MODEL", given->model, "an ONNX or TFLite file")->required();
  command->add_option("--data", given->data, "a data description (YAML)")->required();
  command->add_option("--part", given->options.part, "test or train")->capture_default_str();
  command->add_option("--batch", given->options.batch)->capture_default_str();
  command->add_option("--latency-runs", given->options.latency_runs)->capture_default_str();
  command->add_option("--json", given->json, "also write the figures to this file");
  command->callback([given] {
    ProgressPrinter printer;
    const State state = evaluate(given->model, given->data, given->options, printer.sink());
    printer.end_line();
    const std::string text =
        state.perplexity ? std::format("perplexity {:.4f}  ", *state.perplexity) : "";
    std::println("{}  {}  {}top-1 {:.2f} %  top-5 {:.2f} %  {} {}  {:.1f} KB  {:.3f} ms",
                 state.format, state.runtime, text, state.top1, state.top5, state.images,
                 state.perplexity ? "sequences" : "images",
                 static_cast<double>(state.size_bytes) / 1000, state.latency_ms);
    if (!given->json.empty()) write_text(given->json, to_json(state));
  });
}

namespace {

void print_rows(const std::vector<OperatorRow>& rows) {
  for (const OperatorRow& row : rows) {
    std::println("  {:5}  {:<28}{}", row.count, row.op, row.arithmetic);
  }
}

void print_inspection(const std::string& model) {
  const Inspection found = inspect(model);
  std::println("{}: {}, {:.1f} KB, {} parameters, {} multiply-adds an image", model, found.format,
               static_cast<double>(found.size_bytes) / 1000, found.parameters, found.multiply_adds);
  std::println("\nin the file");
  print_rows(found.source);
  std::println("\nas {} executes it", found.runtime);
  print_rows(found.executed);
  for (const std::string& op : found.still_float) std::println("still float: {}", op);
  for (const std::string& reason : found.unsupported)
    std::println("cannot be quantized: {}", reason);
}

void print_calibration(const std::string& path, const std::string& json) {
  const CalibrationReport report = inspect_calibration(path);
  std::print("{}", report.text());
  if (!json.empty()) write_text(json, report.json());
}

void print_plan(const std::string& model, const PlanOptions& options) {
  const Plan made = plan(model, options);
  std::println("rewritten before quantization");
  for (const std::string& pass : made.passes) std::println("  {}", pass);
  std::println("\nthen computed in");
  print_rows(made.operators);
  for (const std::string& reason : made.reasons) {
    std::println("{}: {}", made.refused ? "refused" : "stays in float", reason);
  }
}

}  // namespace

void add_inspect(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "inspect", "operators, parameters, multiply-adds, and what is integer or still float");
  auto model = std::make_shared<std::string>();
  auto json = std::make_shared<std::string>();
  auto options = std::make_shared<PlanOptions>();
  command->add_option("MODEL", *model, "an ONNX or TFLite file, or a kept calibration (.calib)")
      ->required();
  command->add_option("--json", *json, "of a calibration: also write the figures to this file");
  command
      ->add_option("--target", options->targets,
                   "say what quantization for this target will make of a float network")
      ->allow_extra_args(false);
  command
      ->add_option("--shape", options->shapes,
                   "with --target: sizes of the input that the file leaves open")
      ->allow_extra_args(false);
  command->callback([model, options, json] {
    if (model->ends_with(".calib")) return print_calibration(*model, *json);
    if (!json->empty()) {
      throw Error(Code::Usage, *model + ": --json is for a kept calibration (.calib)");
    }
    if (options->targets.empty()) return print_inspection(*model);
    print_plan(*model, *options);
  });
}

}  // namespace octet::cli
