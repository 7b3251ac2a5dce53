#include <CLI/CLI.hpp>
#include <memory>
#include <print>

#include "commands.h"
#include "interruption.h"
#include "octet/octet.h"
#include "progress.h"

namespace octet::cli {
namespace {

/// Adds --resume, and says what there is to go on from.
std::shared_ptr<TrainOptions> add_resume(CLI::App& command) {
  auto options = std::make_shared<TrainOptions>();
  command.add_flag("--resume", options->resume,
                   "go on from the folder's checkpoints, as if it had not been interrupted");
  return options;
}

void say_where_it_goes_on(const TrainOptions& options, const std::string& out) {
  if (!options.resume) return;
  const std::vector<std::string> lines = checkpoints_in(out);
  if (lines.empty()) std::println(stderr, "no checkpoint in {}: from the beginning", out);
  for (const std::string& line : lines) std::println(stderr, "going on from {}/{}", out, line);
}

ProgressSink training_sink(ProgressPrinter& printer) {
  return ending_when_asked(printer.sink(),
                           "interrupted; the same command with --resume goes on from where it was");
}

}  // namespace

void add_new(CLI::App& app) {
  CLI::App* command = app.add_subcommand("new", "make an untrained float network");
  auto options = std::make_shared<NewOptions>();
  auto out = std::make_shared<std::string>();
  std::string known = "one of";
  for (const auto& [name, summary] : architectures()) known += " " + name;
  command->add_option("ARCH", options->architecture, known)->required();
  command->add_option("--input", options->input, "channels x height x width")
      ->capture_default_str();
  command->add_option("--classes", options->classes)->capture_default_str();
  command
      ->add_option("--width", options->width,
                   "factor on the numbers of channels, which stay multiples of 8")
      ->capture_default_str();
  command->add_option("--seed", options->seed, "of the weights")->capture_default_str();
  command->add_option("-o,--output", *out, "the ONNX file to write")->required();
  command->callback([options, out] { make_network(*options, *out); });
}

void add_train(CLI::App& app) {
  CLI::App* command = app.add_subcommand("train", "train the float network of a recipe");
  auto recipe = std::make_shared<std::string>();
  auto out = std::make_shared<std::string>();
  command->add_option("RECIPE", *recipe, "a YAML file")->required();
  command->add_option("--out", *out, "the folder for float.onnx")->default_val("out");
  const auto options = add_resume(*command);
  command->callback([recipe, out, options] {
    say_where_it_goes_on(*options, *out);
    ProgressPrinter printer;
    const TrainResult result = train(*recipe, *out, *options, training_sink(printer));
    printer.end_line();
    for (const EpochResult& epoch : result.epochs) {
      std::println("epoch {:3}  loss {:.4f}  validation top-1 {:.2f} %{}", epoch.number, epoch.loss,
                   epoch.validation_top1, epoch.number == result.best ? "  (kept)" : "");
    }
    std::println("wrote {}/float.onnx", *out);
  });
}

void add_run(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "run", "the whole workflow of a recipe: calibrate, QAT, integer files, report");
  auto recipe = std::make_shared<std::string>();
  auto out = std::make_shared<std::string>();
  command->add_option("RECIPE", *recipe, "a YAML file")->required();
  command->add_option("--out", *out, "the folder for the results")->default_val("out");
  const auto options = add_resume(*command);
  command->callback([recipe, out, options] {
    say_where_it_goes_on(*options, *out);
    ProgressPrinter printer;
    const Report report = run(*recipe, *out, *options, training_sink(printer));
    printer.end_line();
    std::print("{}\nwrote {}/: float.onnx  network.octet", report.text(), *out);
    for (const State& state : report.states) {
      if (!state.path.empty() && state.name != "float") {
        std::print("  {}", std::filesystem::path(state.path).filename().string());
      }
    }
    std::println("  report.json  report.md");
  });
}

}  // namespace octet::cli
