#include "api/outputs.h"

#include "base/fail.h"
#include "quant/target.h"

namespace octet {
namespace {

/// Empty for a network file, which is for any target.
std::string target_of(const std::filesystem::path& output, int activation_bits) {
  if (output.extension() == ".octet") return "";
  bool known = false;
  for (const TargetProfile& target : all_targets()) {
    if (output.extension() != target.extension) continue;
    if (target.activation_bits == activation_bits) return std::string(target.name);
    known = true;
  }
  if (known) {
    fail(Code::Usage,
         "{}: no runtime of {} files has integer kernels of {}-bit activations; wanted 8 bits{}",
         output.string(), output.extension().string(), activation_bits,
         activation_bits == 16 ? ", or a .tflite file" : "");
  }
  fail(Code::Usage, "{}: the format is told by the extension; wanted .onnx, .tflite or .octet",
       output.string());
}

}  // namespace

std::vector<std::string> targets_of(std::span<const std::filesystem::path> outputs,
                                    const std::vector<std::string>& given, int activation_bits) {
  if (outputs.empty()) {
    fail(Code::Usage, "no output file is given; wanted a .onnx, .tflite or .octet path");
  }
  std::vector<std::string> named;
  for (const auto& output : outputs) {
    const std::string name = target_of(output, activation_bits);
    if (!name.empty()) named.push_back(name);
    const auto folder = output.has_parent_path() ? output.parent_path() : ".";
    if (!std::filesystem::is_directory(folder)) {
      fail(Code::Io, "cannot write {}: its folder does not exist", output.string());
    }
  }
  if (!given.empty()) return given;
  return named.empty() ? std::vector<std::string>{"onnxruntime-cpu", "tflite"} : named;
}

void refuse_overwriting(const std::filesystem::path& model,
                        std::span<const std::filesystem::path> outputs) {
  for (const auto& output : outputs) {
    std::error_code missing;
    if (!std::filesystem::equivalent(model, output, missing)) continue;
    fail(Code::Usage, "{}: the output is the network that is read; wanted another name",
         output.string());
  }
}

std::vector<std::vector<std::byte>> files_of(const QuantizedNetwork& network,
                                             std::span<const std::filesystem::path> outputs) {
  std::vector<std::vector<std::byte>> files;
  for (const auto& output : outputs) files.push_back(quantized_file(network, output));
  return files;
}

}  // namespace octet
