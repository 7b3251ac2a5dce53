#include <CLI/CLI.hpp>
#include <memory>
#include <print>

#include "commands.h"
#include "octet/octet.h"
#include "progress.h"

namespace octet::cli {

namespace {

/// What both verbs take alike.
template <class Options>
void add_choices(CLI::App* command, Options& options) {
  command->add_option("--target", options.target, "what the file is for; see 'octet targets'")
      ->capture_default_str();
  command
      ->add_option("--calibration-images", options.calibration_images,
                   "training images that ranges come from")
      ->capture_default_str();
  command->add_option("--weights", options.weights,
                      "per-channel or per-tensor; default: the finest that the target has");
  command->add_option("--activations", options.activations, "asymmetric or symmetric")
      ->capture_default_str();
  command->add_option("--seed", options.seed, "of the choice of images")->capture_default_str();
  command
      ->add_option("--shape", options.shapes,
                   "NAME=Nx3x224x224 or Nx3x224x224: sizes of the input that the file leaves open")
      ->allow_extra_args(false);
}

}  // namespace

void add_sensitivity(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "sensitivity", "which layers of a float network hurt when they are quantized");
  struct Given {
    std::string model;
    std::string data;
    std::string json;
    std::string svg;
    size_t rows = 20;
    SensitivityOptions options;
  };
  auto given = std::make_shared<Given>();
  SensitivityOptions& options = given->options;
  command->add_option("MODEL", given->model, "a float ONNX file")->required();
  command->add_option("--data", given->data, "a data description (YAML)")->required();
  add_choices(command, options);
  command->add_option("--images", options.images, "held-back training images to measure on")
      ->capture_default_str();
  command->add_option("--observer", options.observer, "that ranges are chosen by")
      ->capture_default_str();
  command->add_option("--method", options.methods, "that is used; several may be named")
      ->allow_extra_args(false);
  command->add_option("--rows", given->rows, "layers to print")->capture_default_str();
  command->add_option("--json", given->json, "also write all figures to this file");
  command->add_option("--svg", given->svg, "also draw them to this file");
  command->callback([given] {
    ProgressPrinter printer;
    const Sensitivity found =
        sensitivity(given->model, given->data, given->options, printer.sink());
    printer.end_line();
    std::print("{}", found.text(given->rows));
    if (!given->json.empty()) write_text(given->json, found.json());
    if (!given->svg.empty()) write_text(given->svg, found.svg());
  });
}

void add_search(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "search", "the cheapest file that keeps the accuracy: what is integer, what stays in float");
  struct Given {
    std::string model;
    std::string data;
    std::string out;
    SearchOptions options;
  };
  auto given = std::make_shared<Given>();
  SearchOptions& options = given->options;
  command->add_option("MODEL", given->model, "a float ONNX file")->required();
  command->add_option("--data", given->data, "a data description (YAML)")->required();
  command->add_option("--out", given->out, "the folder for the best file and the journal")
      ->required();
  add_choices(command, options);
  command
      ->add_option("--max-drop", options.max_drop,
                   "points of top-1 below float that are allowed, on held-back training images")
      ->capture_default_str();
  command->add_option("--time", options.time,
                      "30s, 10m or 2h; default: until nothing is left to try");
  command->add_option("--cost", options.cost, "what is made least: size, latency or both")
      ->capture_default_str();
  command->add_option("--images", options.images, "held-back images to score on; 0: all")
      ->capture_default_str();
  command->add_option("--noise-images", options.noise_images, "of these, to rank the layers on")
      ->capture_default_str();
  command->add_option("--latency-runs", options.latency_runs)->capture_default_str();
  command
      ->add_option("--observer", options.observers,
                   "to try; several may be named; default: all of them")
      ->allow_extra_args(false);
  command
      ->add_option("--method", options.methods,
                   "to try on top of the best observer; several may be named")
      ->allow_extra_args(false);
  command
      ->add_option("--verify-images", options.verify_images,
                   "held-back images that the best file is verified on; 0: none")
      ->capture_default_str();
  command->callback([given] {
    ProgressPrinter printer;
    const SearchResult found =
        search(given->model, given->data, given->out, given->options, printer.sink());
    printer.end_line();
    if (found.repeated > 0) std::println("{} trials were in the journal", found.repeated);
    std::print("{}", found.text());
    std::println("wrote {0}/: {1}  journal.jsonl  curve.svg  search.json", given->out,
                 found.best_file.filename().string());
    const std::string refusal = found.refusal();
    if (!refusal.empty()) throw Error(Code::Runtime, refusal);
  });
}

}  // namespace octet::cli
