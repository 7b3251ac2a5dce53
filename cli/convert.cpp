#include <CLI/CLI.hpp>
#include <memory>
#include <print>

#include "commands.h"
#include "octet/octet.h"
#include "progress.h"

namespace octet::cli {

void add_convert(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "convert", "a quantized ONNX network as INT8 files, its parameters unchanged");
  struct Given {
    std::string model;
    std::string data;
    std::vector<std::string> outputs;
    ConvertOptions options;
  };
  auto given = std::make_shared<Given>();
  ConvertOptions& options = given->options;
  command->add_option("MODEL", given->model, "a quantized ONNX file, in QDQ or QOperator form")
      ->required();
  command
      ->add_option("-o,--output", given->outputs,
                   "a .onnx or .tflite file; give it twice for both, with the same integers")
      ->required();
  command->add_option("--target", options.targets,
                      "a target that the integers must fit; default: by the outputs");
  command->add_option("--form", options.form, "of ONNX files: qdq or qoperator")
      ->capture_default_str();
  command->add_option("--data", given->data,
                      "a data description (YAML): its images calibrate what is float in the file");
  command->add_flag("--allow-requantize", options.allow_requantize,
                    "where a target cannot have a parameter as it is, change it and say so");
  command->add_option("--images", options.calibration_images, "calibration images")
      ->capture_default_str();
  command->add_option("--observer", options.observer, "minmax or percentile")
      ->capture_default_str();
  command->add_option("--percentile", options.percentile, "share of values that is not clipped")
      ->capture_default_str();
  command
      ->add_option("--bad-images", options.bad_images,
                   "fail or skip: what to do about images that make NaN or infinity")
      ->capture_default_str();
  command->add_option("--seed", options.seed, "of the choice of calibration images")
      ->capture_default_str();
  command
      ->add_option("--shape", options.shapes,
                   "NAME=Nx3x224x224 or Nx3x224x224: sizes of the input that the file leaves open "
                   "(N: any batch)")
      ->allow_extra_args(false);
  command->callback([given] {
    given->options.data = given->data;
    ProgressPrinter printer;
    const ConvertResult result =
        convert(given->model, {given->outputs.begin(), given->outputs.end()}, given->options,
                printer.sink());
    printer.end_line();
    for (const std::string& line : result.notes) std::println("note: {}", line);
    for (const std::string& line : result.in_float) std::println("note: {}", line);
    for (const std::string& line : result.changes) std::println("changed: {}", line);
    std::println("{} tensors carried over, {} changed, {} calibrated", result.carried,
                 result.changes.size(), result.calibrated);
    for (const std::string& output : given->outputs) std::println("wrote {}", output);
  });
}

}  // namespace octet::cli
