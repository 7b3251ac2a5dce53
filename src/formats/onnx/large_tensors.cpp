#include "formats/onnx/large_tensors.h"

#include <onnx/onnx_pb.h>

#include <cstring>
#include <string>
#include <utility>

#include "base/fail.h"
#include "formats/onnx/tensor_proto.h"

namespace octet {
namespace {

/// Shapes, axes and scales are smaller: the converter looks at them.
constexpr uint64_t kLarge = 65536;

bool is_external(const onnx::TensorProto& proto) {
  return proto.data_location() == onnx::TensorProto::EXTERNAL;
}

/// Moves external data into the message.
void embed(onnx::TensorProto& proto, const std::filesystem::path& folder) {
  if (!is_external(proto)) return;
  const std::string name = proto.name();
  const Tensor held = read_tensor(proto, folder);
  proto.Clear();
  write_tensor(held, name, proto);
}

template <class Nodes, class Visit>
void for_each_tensor(Nodes& nodes, Visit visit) {
  for (auto& node : nodes) {
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_t()) visit(*attribute.mutable_t());
    }
  }
}

}  // namespace

void LargeTensors::take_out(onnx::ModelProto& model, const std::filesystem::path& folder) {
  onnx::GraphProto& graph = *model.mutable_graph();
  const auto out = [&](onnx::TensorProto& proto) { take_out(proto, folder); };
  for (auto& tensor : *graph.mutable_initializer()) out(tensor);
  for_each_tensor(*graph.mutable_node(), out);
  // A function may be called twice, and a large tensor can be had once.
  for (auto& function : *model.mutable_functions()) {
    for_each_tensor(*function.mutable_node(),
                    [&](onnx::TensorProto& proto) { embed(proto, folder); });
  }
}

void LargeTensors::take_out(onnx::TensorProto& proto, const std::filesystem::path& folder) {
  if (byte_count(proto) <= kLarge) return embed(proto, folder);
  held_.push_back(read_tensor(proto, folder));
  const uint64_t number = held_.size() - 1;
  onnx::TensorProto stand_in;
  stand_in.set_name(proto.name());
  stand_in.set_data_type(proto.data_type());
  *stand_in.mutable_dims() = proto.dims();
  stand_in.set_raw_data(&number, sizeof number);
  proto.Swap(&stand_in);
}

Tensor LargeTensors::read(const onnx::TensorProto& proto) {
  const uint64_t wanted = byte_count(proto);
  if (wanted <= kLarge) return read_tensor(proto, {});
  uint64_t number = held_.size();
  if (proto.raw_data().size() == sizeof number) {
    std::memcpy(&number, proto.raw_data().data(), sizeof number);
  }
  // What the converter made itself is in the message.
  if (number >= held_.size()) return read_tensor(proto, {});
  Tensor tensor = std::exchange(held_[number], {});
  if (tensor.bytes.size() != wanted || onnx_type(tensor.dtype) != proto.data_type()) {
    fail(Code::Unsupported,
         "the tensor '{}' cannot be followed through the conversion to opset 21; export the "
         "network at opset 21",
         proto.name());
  }
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());  // of a slope: with 1s at its end
  return tensor;
}

}  // namespace octet
