#include "formats/onnx/input_shape.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <vector>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

std::optional<int64_t> parse_dimension(std::string_view text, bool first) {
  if (first && (text == "N" || text == "-1")) return -1;
  int64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return size >= 1 && size <= 65536 ? std::optional(size) : std::nullopt;
}

std::vector<onnx::ValueInfoProto*> inputs_of(onnx::GraphProto& graph) {
  std::set<std::string_view> initializers;
  for (const auto& tensor : graph.initializer()) initializers.insert(tensor.name());
  std::vector<onnx::ValueInfoProto*> inputs;
  for (auto& input : *graph.mutable_input()) {
    if (!initializers.contains(input.name())) inputs.push_back(&input);
  }
  return inputs;
}

std::string shown(const InputShape& given) {
  return (given.name.empty() ? "" : given.name + "=") + shape_text(given.shape);
}

onnx::ValueInfoProto& input_of(onnx::GraphProto& graph, const InputShape& given) {
  const auto inputs = inputs_of(graph);
  std::vector<std::string> names;
  for (const auto* input : inputs) names.push_back(input->name());
  if (given.name.empty() && inputs.size() != 1) {
    fail(Code::Usage, "the shape {} names none of the {} inputs; wanted NAME={} with one of: {}",
         shown(given), inputs.size(), shown(given), join(names));
  }
  if (given.name.empty()) return *inputs[0];
  const auto it = std::ranges::find(names, given.name);
  if (it == names.end()) {
    fail(Code::Usage, "the shape {} names no input of the network; wanted one of: {}", shown(given),
         join(names));
  }
  return *inputs[static_cast<size_t>(it - names.begin())];
}

Shape known_shape(const onnx::TensorShapeProto& proto) {
  Shape shape;
  for (const auto& dim : proto.dim()) shape.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
  return shape;
}

void set_shape(onnx::ValueInfoProto& input, const InputShape& given) {
  auto& type = *input.mutable_type()->mutable_tensor_type();
  if (!type.has_shape()) {
    for (size_t i = 0; i < given.shape.size(); ++i) type.mutable_shape()->add_dim();
  }
  auto& proto = *type.mutable_shape();
  const Shape known = known_shape(proto);
  bool fits = known.size() == given.shape.size();
  for (size_t i = 0; fits && i < known.size(); ++i) {
    fits = known[i] < 0 || given.shape[i] < 0 || known[i] == given.shape[i];
  }
  if (!fits) {
    fail(Code::Usage,
         "the shape {} contradicts the file, where the input '{}' is {}; wanted the same sizes "
         "wherever the file gives one",
         shown(given), input.name(), shape_text(known));
  }
  for (size_t i = 0; i < known.size(); ++i) {
    if (given.shape[i] >= 0) proto.mutable_dim(static_cast<int>(i))->set_dim_value(given.shape[i]);
  }
}

}  // namespace

const char* const kInputShapeForm =
    "NAME=1x3x224x224 (sizes from 1 to 65536, the first may be N), or without NAME= where the "
    "network has one input";

std::optional<InputShape> parse_input_shape(const std::string& text) {
  InputShape parsed;
  std::string_view rest = text;
  if (const size_t at = text.rfind('='); at != std::string::npos) {
    if (at == 0) return std::nullopt;
    parsed.name = text.substr(0, at);
    rest.remove_prefix(at + 1);
  }
  while (true) {
    const size_t end = rest.find('x');
    const auto size = parse_dimension(rest.substr(0, end), parsed.shape.empty());
    if (!size) return std::nullopt;
    parsed.shape.push_back(*size);
    if (end == std::string_view::npos) return parsed;
    rest.remove_prefix(end + 1);
  }
}

std::vector<InputShape> parse_input_shapes(std::span<const std::string> texts) {
  std::vector<InputShape> shapes;
  for (const std::string& text : texts) {
    const auto shape = parse_input_shape(text);
    if (!shape) {
      fail(Code::Usage, "'{}' is no shape of an input; wanted {}", text, kInputShapeForm);
    }
    shapes.push_back(*shape);
  }
  return shapes;
}

void set_input_shapes(onnx::GraphProto& graph, std::span<const InputShape> shapes) {
  std::set<std::string> done;
  for (const InputShape& given : shapes) {
    onnx::ValueInfoProto& input = input_of(graph, given);
    if (!done.insert(input.name()).second) {
      fail(Code::Usage, "the input '{}' was given two shapes; wanted one", input.name());
    }
    if (input.type().has_tensor_type()) set_shape(input, given);
  }
}

}  // namespace octet
