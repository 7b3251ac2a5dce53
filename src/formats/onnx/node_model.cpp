#include <onnx/onnx_pb.h>

#include "base/fail.h"
#include "formats/onnx/onnx_file.h"

namespace octet {

std::vector<std::byte> write_node_model(const Graph& graph) {
  const std::vector<std::byte> whole = write_onnx(graph);
  onnx::ModelProto model;
  if (!model.ParseFromArray(whole.data(), static_cast<int>(whole.size()))) {
    fail(Code::Unsupported, "a single node is too large for ONNX");
  }
  for (auto& output : *model.mutable_graph()->mutable_output()) output.clear_type();
  std::vector<std::byte> bytes(model.ByteSizeLong());
  model.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

}  // namespace octet
