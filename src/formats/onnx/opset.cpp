#include "formats/onnx/opset.h"

#include <onnx/defs/schema.h>
#include <onnx/inliner/inliner.h>
#include <onnx/onnx_pb.h>
#include <onnx/version_converter/convert.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/fail.h"
#include "graph/graph.h"

namespace octet {
namespace {

int64_t default_opset(const onnx::ModelProto& model) {
  for (const auto& opset : model.opset_import()) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") return opset.version();
  }
  return 0;
}

/// From this opset to `kOpset` operators gained types and attributes, but for those below.
constexpr int kSteady = 13;

/// onnx/docs/Changelog.md: other inputs, other words for a mode, or another shape of the scale.
constexpr std::array<std::string_view, 4> kChanged{"BatchNormalization", "DFT", "GridSample",
                                                   "GroupNormalization"};

/// Whether the node means at `kOpset` what it means at `opset`. Reductions took their axes from an
/// attribute before 18; their rows refuse it by name.
bool means_the_same(const onnx::NodeProto& node, int opset) {
  const auto* now = onnx::OpSchemaRegistry::Schema(node.op_type(), opset);
  const auto* then = onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(kOpset));
  if (!now || !then || then->deprecated()) return false;
  if (now->since_version() == then->since_version()) return true;
  return opset >= kSteady && !std::ranges::contains(kChanged, std::string_view(node.op_type()));
}

/// The rank of an input or of a value whose shape the file gives; nullopt where it is not known.
std::optional<int> rank_of(const onnx::GraphProto& graph, const std::string& value) {
  for (const auto* list : {&graph.input(), &graph.value_info()}) {
    for (const auto& info : *list) {
      if (info.name() != value || !info.type().tensor_type().has_shape()) continue;
      return info.type().tensor_type().shape().dim_size();
    }
  }
  return std::nullopt;
}

/// Before opset 7 `broadcast` asked for what has gone without saying since, unless `axis` says
/// where.
void drop_plain_broadcasts(onnx::GraphProto& graph) {
  const auto named = [](std::string_view name) {
    return [name](const onnx::AttributeProto& attribute) { return attribute.name() == name; };
  };
  for (auto& node : *graph.mutable_node()) {
    auto& attributes = *node.mutable_attribute();
    if (std::ranges::any_of(attributes, named("axis"))) continue;
    const auto it = std::ranges::find_if(attributes, named("broadcast"));
    if (it != attributes.end()) attributes.erase(it);
  }
}

/// Before opset 7 the slopes of PRelu were one per channel; since then they are broadcast from the
/// right, which the converter does not see to.
void align_slopes(onnx::GraphProto& graph) {
  for (const auto& node : graph.node()) {
    if (node.op_type() != "PRelu" || node.input_size() < 2) continue;
    for (auto& slope : *graph.mutable_initializer()) {
      if (slope.name() != node.input(1) || slope.dims_size() != 1 || slope.dims(0) == 1) continue;
      const auto rank = rank_of(graph, node.input(0));
      if (!rank) {
        fail(Code::Unsupported, "node \"{}\" (PRelu): the rank of its input is not known",
             node.name());
      }
      for (int d = 2; d < *rank; ++d) slope.add_dims(1);
    }
  }
}

/// Calls a model of opset 6 one of opset 7 where, now that plain broadcasts and slopes are seen to,
/// it is. The converter would ask Gemm for shapes that only inference could tell, and does not look
/// whether a damaged file has them.
void step_over_six(onnx::ModelProto& model) {
  constexpr std::array<std::string_view, 13> kBroadcast{"Add",     "And",  "Div", "Equal", "Gemm",
                                                        "Greater", "Less", "Mul", "Or",    "PRelu",
                                                        "Pow",     "Sub",  "Xor"};
  if (default_opset(model) != 6) return;
  const bool same = std::ranges::all_of(model.graph().node(), [&](const onnx::NodeProto& node) {
    const auto* six = onnx::OpSchemaRegistry::Schema(node.op_type(), 6);
    const auto* seven = onnx::OpSchemaRegistry::Schema(node.op_type(), 7);
    if (six && seven && six->since_version() == seven->since_version()) return true;
    const auto& attributes = node.attribute();
    return std::ranges::contains(kBroadcast, std::string_view(node.op_type())) &&
           std::ranges::none_of(attributes, [](const auto& a) { return a.name() == "broadcast"; });
  });
  if (!same) return;
  for (auto& opset : *model.mutable_opset_import()) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") opset.set_version(7);
  }
}

void raise_opset(onnx::ModelProto& model) {
  if (default_opset(model) < 7) {
    drop_plain_broadcasts(*model.mutable_graph());
    align_slopes(*model.mutable_graph());
    step_over_six(model);
  }
  // The converter needs the initializers of old IR versions among the inputs, no more.
  onnx::ModelProto converted =
      onnx::version_conversion::ConvertVersion(model, static_cast<int>(kOpset));
  model = std::move(converted);
  model.mutable_graph()->clear_value_info();  // it forgets types, for which the checker asks
  // The initializers that it adds are no inputs, which IR versions below 4 forbid.
  model.set_ir_version(std::max<int64_t>(model.ir_version(), 4));
}

}  // namespace

std::string reason_of(const std::exception& error) {
  std::string_view message = error.what();
  constexpr std::string_view kAssertion = "` failed: ";
  if (const size_t at = message.find(kAssertion); at != std::string_view::npos) {
    message.remove_prefix(at + kAssertion.size());
  }
  std::string line;
  for (const char letter : message) {
    const bool space = letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t';
    if (!space)
      line += letter;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

void bring_to_opset(onnx::ModelProto& model, const std::filesystem::path& path) {
  const int64_t newest =
      onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
  const int64_t opset = default_opset(model);
  if (opset == 0) {
    fail(Code::Unsupported, "{} has no operators of ONNX's default domain, but of '{}'",
         path.string(), model.opset_import(0).domain());
  }
  if (opset < 1 || opset > newest) {
    fail(Code::Unsupported, "{} is of opset {}; wanted 1 to {}", path.string(), opset, newest);
  }
  try {
    if (model.functions_size() > 0) onnx::inliner::InlineLocalFunctions(model, true);
    if (default_opset(model) < kOpset) raise_opset(model);
  } catch (const std::exception& error) {
    const bool same = std::ranges::all_of(model.graph().node(), [&](const onnx::NodeProto& node) {
      return means_the_same(node, static_cast<int>(opset));
    });
    if (same) return;
    fail(Code::Unsupported, "{} (opset {}) cannot be converted to opset {}: {}", path.string(),
         opset, kOpset, reason_of(error));
  }
}

}  // namespace octet
