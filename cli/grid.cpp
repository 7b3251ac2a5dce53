#include <CLI/CLI.hpp>
#include <memory>
#include <print>

#include "commands.h"
#include "octet/octet.h"
#include "progress.h"

namespace octet::cli {

void add_grid(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "grid", "quantize a network in every way, and measure each file in its runtime");
  struct Given {
    std::string model;
    std::string data;
    std::string markdown;
    std::string json;
    GridOptions options;
  };
  auto given = std::make_shared<Given>();
  GridOptions& options = given->options;
  command->add_option("MODEL", given->model, "a float ONNX file")->required();
  command->add_option("--data", given->data, "a data description (YAML)")->required();
  std::string schemes = "a column; several may be given; default, for onnx:";
  for (const std::string& scheme : grid_schemes(options.format)) {
    schemes += std::format(" '{}'", scheme);
  }
  command->add_option("--scheme", options.schemes, schemes)->allow_extra_args(false);
  command
      ->add_option("--way", options.ways,
                   "a row: an observer, or one with methods (percentile+bias-correction); several "
                   "may be given; default: all observers, and all methods on percentile")
      ->allow_extra_args(false);
  command->add_option("--format", options.format, "onnx or tflite: the files that are measured")
      ->capture_default_str();
  command->add_option("--images", options.calibration_images, "calibration images")
      ->capture_default_str();
  command
      ->add_option("--test-images", options.test_images, "so many of them, chosen by seed; 0: all")
      ->capture_default_str();
  command->add_option("--seed", options.seed, "of the choice of calibration images")
      ->capture_default_str();
  command->add_option("--markdown", given->markdown, "a file for the table");
  command->add_option("--json", given->json, "a file for all figures");
  command->callback([given] {
    ProgressPrinter printer;
    const GridReport result = grid(given->model, given->data, given->options, printer.sink());
    printer.end_line();
    std::print("{}", result.markdown());
    if (!given->markdown.empty()) write_text(given->markdown, result.markdown());
    if (!given->json.empty()) write_text(given->json, result.json());
  });
}

}  // namespace octet::cli
