#include "formats/onnx/exposed_file.h"

#include <onnx/onnx_pb.h>

#include <limits>
#include <set>

#include "base/fail.h"
#include "formats/onnx/model_file.h"

namespace octet {

std::vector<std::byte> expose_tensors(const std::filesystem::path& path,
                                      std::span<const std::string> tensors) {
  onnx::ModelProto model = parse_model(path);
  onnx::GraphProto& graph = *model.mutable_graph();
  std::set<std::string> made;
  for (const auto& node : graph.node()) made.insert(node.output().begin(), node.output().end());
  std::set<std::string> given;
  for (const auto& output : graph.output()) given.insert(output.name());
  for (const std::string& tensor : tensors) {
    if (!made.contains(tensor)) {
      fail(Code::Model,
           "{} has no tensor '{}', which the network has: it is the file of another network; give "
           "the network that it was made from",
           path.string(), tensor);
    }
    // Without a type: ONNX Runtime infers it.
    if (given.insert(tensor).second) graph.add_output()->set_name(tensor);
  }
  std::vector<std::byte> bytes(model.ByteSizeLong());
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !model.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail(Code::Unsupported, "{} is too large to be looked into (2 GiB)", path.string());
  }
  return bytes;
}

}  // namespace octet
