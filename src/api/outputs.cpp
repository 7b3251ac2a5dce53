#include "api/outputs.h"

#include "base/fail.h"
#include "base/file.h"
#include "quant/target.h"

namespace octet {
namespace {

/// The target that an output's extension names: the first with such files.
std::string target_of(const std::filesystem::path& output) {
  for (const TargetProfile& target : all_targets()) {
    if (output.extension() == target.extension) return std::string(target.name);
  }
  fail(Code::Usage, "{}: the format is told by the extension; wanted .onnx or .tflite",
       output.string());
}

}  // namespace

std::vector<std::string> targets_of(std::span<const std::filesystem::path> outputs,
                                    const std::vector<std::string>& given) {
  if (outputs.empty()) fail(Code::Usage, "no output file is given; wanted a .onnx or .tflite path");
  std::vector<std::string> names = given;
  for (const auto& output : outputs) {
    const std::string name = target_of(output);
    if (given.empty()) names.push_back(name);
    const auto folder = output.has_parent_path() ? output.parent_path() : ".";
    if (!std::filesystem::is_directory(folder)) {
      fail(Code::Io, "cannot write {}: its folder does not exist", output.string());
    }
  }
  return names;
}

void write_quantized(const QuantizedNetwork& network,
                     std::span<const std::filesystem::path> outputs, OnnxForm form) {
  std::vector<std::vector<std::byte>> files;
  for (const auto& output : outputs) files.push_back(quantized_file(network, output, form));
  for (size_t i = 0; i < outputs.size(); ++i) write_file(outputs[i], files[i]);
}

}  // namespace octet
