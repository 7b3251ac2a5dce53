#include <CLI/CLI.hpp>
#include <format>
#include <map>
#include <memory>
#include <print>

#include "commands.h"
#include "octet/octet.h"

namespace octet::cli {
namespace {

struct Files {
  std::string a;
  std::string b;
  std::string json;
};

/// Tensors that a format asks for, by the reason.
void print_asked_for(const Comparison& found) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> by_reason;
  for (const OneSided& held : found.one_sided) {
    if (!held.reason.empty()) by_reason[{held.path, held.reason}].push_back(held.tensor);
  }
  for (const auto& [key, tensors] : by_reason) {
    std::println("only in {}: {}: {}", key.first, tensors.size(), key.second);
    for (const std::string& tensor : tensors) std::println("  {}", tensor);
  }
}

void print(const Comparison& found, const Files& files) {
  for (const Difference& held : found.differences) {
    std::println("'{}': {}: {} in {}, {} in {}", held.tensor, held.what, held.a, files.a, held.b,
                 files.b);
  }
  for (const OneSided& held : found.one_sided) {
    if (held.reason.empty()) {
      std::println("'{}': only {} has this {}", held.tensor, held.path, held.what);
    }
  }
  print_asked_for(found);
  std::println("equal: {} computed values, {} constants, {} tables", found.values, found.constants,
               found.tables);
}

/// How many tensors part, and the first of them.
std::string parting(const Comparison& found) {
  size_t count = found.differences.size();
  std::string first = found.differences.empty() ? "" : found.differences[0].tensor;
  for (const OneSided& held : found.one_sided) {
    if (!held.reason.empty()) continue;
    ++count;
    if (first.empty()) first = held.tensor;
  }
  return std::format("{} difference{}, the first at '{}'", count, count == 1 ? "" : "s", first);
}

}  // namespace

void add_compare(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "compare", "whether two INT8 files (ONNX, TFLite) store the same integers; exit code 1: no");
  auto files = std::make_shared<Files>();
  command->add_option("A", files->a, "an INT8 ONNX or TFLite file")->required();
  command->add_option("B", files->b, "another one")->required();
  command->add_option("--json", files->json, "also write the comparison to this file");
  command->callback([files] {
    const Comparison found = compare(files->a, files->b);
    print(found, *files);
    if (!files->json.empty()) write_text(files->json, to_json(found));
    if (!found.equal()) {
      throw Error(Code::Runtime, std::format("{} and {} do not store the same network: {}",
                                             files->a, files->b, parting(found)));
    }
    std::println("the files store the same network");
  });
}

}  // namespace octet::cli
