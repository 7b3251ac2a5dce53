#include <algorithm>
#include <map>

#include "api/stages.h"
#include "base/fail.h"
#include "formats/onnx/onnx_file.h"
#include "formats/summary.h"
#include "octet/octet.h"
#include "ops/op_def.h"
#include "runtime/session.h"

namespace octet {
namespace {

std::vector<OperatorRow> counted(
    const std::map<std::pair<std::string, std::string>, int64_t>& rows) {
  std::vector<OperatorRow> out;
  for (const auto& [key, count] : rows) out.push_back({key.first, count, key.second});
  std::ranges::stable_sort(out, std::greater{}, &OperatorRow::count);
  return out;
}

/// Nodes that only convert or carry shapes compute nothing in float.
bool computes(const std::string& op) {
  return op != "QuantizeLinear" && op != "DequantizeLinear" && op != "QUANTIZE" &&
         op != "DEQUANTIZE";
}

/// What octet could not quantize in a float network, node by node.
std::vector<std::string> unsupported(const std::filesystem::path& model) {
  std::vector<std::string> reasons;
  try {
    const Graph graph = read_onnx(model);
    for (const NodeId id : graph.order()) {
      try {
        if (!find_op(graph.node(id).op)) {
          reasons.push_back(std::format("{}: octet has no kernel of it; it would stay in float",
                                        describe(graph.node(id))));
          continue;
        }
        op_of(graph.node(id));
      } catch (const Error& error) {
        reasons.emplace_back(error.what());
      }
    }
  } catch (const Error& error) {
    reasons.emplace_back(error.what());
  }
  return reasons;
}

}  // namespace

Inspection inspect(const std::filesystem::path& model) {
  const bool onnx = model.extension() == ".onnx";
  const FileSummary summary =
      onnx ? summarize_onnx(model)
      : model.extension() == ".tflite"
          ? summarize_tflite(model)
          : (fail(Code::Usage, "{}: wanted a .onnx or .tflite file", model.string()),
             FileSummary{});
  Inspection inspection{.format = onnx ? "ONNX" : "TFLite",
                        .runtime = {},
                        .size_bytes = static_cast<int64_t>(std::filesystem::file_size(model)),
                        .parameters = summary.parameters,
                        .multiply_adds = summary.multiply_adds};
  std::map<std::pair<std::string, std::string>, int64_t> source;
  bool quantized = false;
  for (const FileOperator& op : summary.operators) {
    ++source[{op.op, op.type}];
    quantized = quantized || op.type.ends_with("int8") || op.type == "int16";
  }
  inspection.source = counted(source);

  const auto session = open_session(model, 1);
  inspection.runtime = session->runtime();
  std::map<std::pair<std::string, std::string>, int64_t> executed;
  for (const OperatorUse& use : session->operators()) {
    ++executed[{use.name, use.arithmetic}];
    if (quantized && use.arithmetic.starts_with("float") && computes(use.name)) {
      inspection.still_float.push_back(use.name + " \"" + use.node + "\"");
    }
  }
  inspection.executed = counted(executed);
  if (onnx && !quantized) inspection.unsupported = unsupported(model);
  return inspection;
}

}  // namespace octet
