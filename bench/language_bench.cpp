// A language network in fewer bits: perplexity of every form of file, in ONNX Runtime, against the
// float network's on the same text. 256 sequences calibrate, seed 1. The rows compare perplexities
// and sizes; nothing is timed.
//
//     ./dev bench language [--json FILE] [MODEL.onnx DATA.yaml]
//
// Without a network: the decoder of examples/decoder.

#include <filesystem>
#include <format>
#include <print>

#include "octet/octet.h"
#include "rows.h"

namespace {

using namespace octet;

struct Form {
  std::string name;
  QuantizeOptions options;
};

QuantizeOptions in_groups(int bits, int64_t size, bool gptq, const char* weights = "") {
  QuantizeOptions options{
      .weights = weights, .ranges = "weight-only", .weight_bits = bits, .group_size = size};
  options.calibration_images = 256;
  if (gptq) options.methods = {"gptq"};
  return options;
}

std::vector<Form> forms() {
  std::vector<Form> all{
      {"int8, dynamic", {.ranges = "dynamic"}},
      {"int8 weights, groups of 32", in_groups(8, 32, false)},
  };
  for (const int64_t size : {16, 32, 64, 128}) {
    for (const char* weights : {"asymmetric", "symmetric"}) {
      for (const bool gptq : {false, true}) {
        all.push_back({std::format("int4 weights, groups of {}, {}, {}", size, weights,
                                   gptq ? "GPTQ" : "nearest"),
                       in_groups(4, size, gptq, weights)});
      }
    }
  }
  return all;
}

bench::Row row(const Form& form, const std::string& metric, double ours, double real) {
  return {form.name, metric, ours, real, ours / real, ours / real, ours / real};
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run(
      "language", {arguments, static_cast<size_t>(count)},
      [](const bench::Options& given, bench::Table& table) {
        const auto argument = [&](size_t index, const char* otherwise) {
          return std::filesystem::path(index < given.arguments.size() ? given.arguments[index]
                                                                      : otherwise);
        };
        const auto model = argument(0, OCTET_EXAMPLES "/decoder/decoder.onnx");
        const auto data = argument(1, OCTET_EXAMPLES "/decoder/data.yaml");
        const auto measured = [&](const std::filesystem::path& file) {
          return evaluate(file, data, {.latency_runs = 1});
        };
        const State real = measured(model);
        std::println("float: perplexity {:.4f}, {:.1f} KB, {} sequences", real.perplexity.value(),
                     static_cast<double>(real.size_bytes) / 1000, real.images);
        const auto file = std::filesystem::temp_directory_path() / "octet-language-bench.onnx";
        for (const Form& form : forms()) {
          const bool looks = !form.options.methods.empty();
          quantize(model, looks ? data : std::filesystem::path(), {file}, form.options);
          const State state = measured(file);
          table.add(
              row(form, "perplexity / float", state.perplexity.value(), real.perplexity.value()));
          table.add(row(form, "bytes / float", static_cast<double>(state.size_bytes),
                        static_cast<double>(real.size_bytes)));
        }
        std::filesystem::remove(file);
      });
}
