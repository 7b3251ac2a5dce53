#include <CLI/CLI.hpp>
#include <memory>
#include <print>

#include "commands.h"
#include "octet/octet.h"
#include "progress.h"

namespace octet::cli {

void add_verify(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "verify", "an INT8 file in its runtime beside the exact simulation, value by value");
  struct Given {
    std::string file;
    std::string against;
    std::string data;
    std::string json;
    VerifyOptions options;
  };
  auto given = std::make_shared<Given>();
  command->add_option("FILE", given->file, "an INT8 ONNX or TFLite file")->required();
  command
      ->add_option("--against", given->against,
                   "the network that it was made from: a .octet file, or the float .onnx")
      ->required();
  command->add_option("--data", given->data, "a data description (YAML)")->required();
  command->add_option("--images", given->options.images, "training images that are held back")
      ->capture_default_str();
  command->add_option(
      "--limit", given->options.limit,
      "steps of difference that are allowed; default: 0, any behind nodes in float");
  command->add_option("--json", given->json, "also write the certificate to this file");
  command->callback([given] {
    ProgressPrinter printer;
    const Certificate certificate =
        verify(given->file, given->against, given->data, given->options, printer.sink());
    printer.end_line();
    std::print("{}", certificate.text());
    if (!given->json.empty()) write_text(given->json, certificate.json());
    const std::string refusal = certificate.refusal();
    if (!refusal.empty()) throw Error(Code::Runtime, refusal);
  });
}

}  // namespace octet::cli
