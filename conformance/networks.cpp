// Takes float networks through import, fusion, PTQ and both integer files, each stage compared with
// the runtime that deploys it.
//
//     networks [--markdown FILE] [--folder FOLDER] FILE.onnx...
//
// Exit code 1 when a network fails a point.

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <format>
#include <print>
#include <string_view>

#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "network_check.h"
#include "octet/octet.h"

namespace {

using octet::conformance::NetworkRow;

struct Options {
  std::filesystem::path markdown;
  std::filesystem::path folder = std::filesystem::temp_directory_path();
  std::vector<std::filesystem::path> models;
};

Options read_options(std::span<char*> arguments) {
  Options options;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--markdown" && i + 1 < arguments.size()) {
      options.markdown = arguments[++i];
    } else if (argument == "--folder" && i + 1 < arguments.size()) {
      options.folder = arguments[++i];
    } else {
      options.models.emplace_back(argument);
    }
  }
  if (options.models.empty()) octet::fail(octet::Code::Usage, "no networks are given");
  return options;
}

std::string decibels(double value) {
  return std::isinf(value) ? "equal" : std::format("{:.1f}", value);
}

std::string line_of(const NetworkRow& row) {
  return std::format("| {} | {:.2f} | {:.2f} | {:.0e} | {:.0e} | {} | {} | {} | {} | {} | {} |\n",
                     row.name, static_cast<double>(row.parameters) / 1e6,
                     static_cast<double>(row.multiply_adds) / 1e9, row.imported, row.fused,
                     decibels(row.onnx_sqnr), decibels(row.tflite_sqnr), decibels(row.float_sqnr),
                     decibels(row.twin_sqnr), row.transposes,
                     row.failure.empty() ? "yes" : row.failure);
}

constexpr std::string_view kHead =
    "| network | M parameters | G multiply-adds | import | fusion | ONNX Runtime dB | TFLite dB | "
    "against float dB | twins dB | TFLite transposes | holds |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|\n";

constexpr std::string_view kLegend =
    "# Networks\n\n"
    "Made by `./dev conformance --networks --markdown docs/networks.md`. Weights are random (seed "
    "1), "
    "statistics and calibration (32 inputs, min-max) from Fashion-MNIST enlarged to the size of "
    "the "
    "network, or the letters of a text for the two language networks; 4 other inputs are "
    "compared.\n\n"
    "- import, fusion: largest relative error of octet's executor against ONNX Runtime's output, "
    "of the "
    "network as read and after all fusions; bar 1e-4.\n"
    "- ONNX Runtime, TFLite: SQNR of the exact simulation against the output of the deployed file; "
    "\"equal\": not one bit differs; bars 30 and 25 dB.\n"
    "- against float: SQNR of the INT8 ONNX file against the float network; random weights are "
    "hard to "
    "quantize, so this says little of trained ones.\n"
    "- twins: SQNR of the TFLite file's output against the ONNX file's.\n"
    "- TFLite transposes: how many are left in the file.\n"
    "- holds: all points, and no operator is computed in float in either file.\n\n";

/// One network in a process of its own: its memory goes back, and a crash is its own.
std::string in_child(const std::filesystem::path& model, const Options& options, bool& held) {
  const std::filesystem::path result = options.folder / (model.stem().string() + ".row");
  std::filesystem::remove(result);
  const pid_t child = ::fork();
  if (child == 0) {
    const NetworkRow row = octet::conformance::check_network(model, options.folder);
    octet::write_text(result, line_of(row));
    ::_exit(row.failure.empty() ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  held = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
  if (std::filesystem::exists(result)) {
    const auto bytes = octet::read_file(result, octet::Code::Io);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  NetworkRow crashed{.name = model.stem().string()};
  crashed.failure = std::format("the process ended with status {}", status);
  return line_of(crashed);
}

int run(const Options& options) {
  std::string table;
  int failed = 0;
  std::print("{}", kHead);
  for (const auto& model : options.models) {
    bool held = false;
    const std::string line = in_child(model, options, held);
    failed += held ? 0 : 1;
    std::print("{}", line);
    std::fflush(stdout);
    table += line;
  }
  std::println("{} networks, {} failed", options.models.size(), failed);
  if (!options.markdown.empty()) {
    octet::write_text(options.markdown, std::string(kLegend) + std::string(kHead) + table);
  }
  return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace

int main(int count, char** arguments) try {
  return run(read_options({arguments, static_cast<size_t>(count)}));
} catch (const octet::Error& error) {
  std::println(stderr, "networks: {}", error.what());
  return octet::exit_status(error.code());
}
