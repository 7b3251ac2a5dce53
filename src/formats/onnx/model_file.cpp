#include "formats/onnx/model_file.h"

#include <onnx/onnx_pb.h>

#include <limits>

#include "base/fail.h"
#include "base/file_reader.h"

namespace octet {

onnx::ModelProto parse_model(const std::filesystem::path& path) {
  const FileReader file(path, Code::Model);
  if (file.size() == 0) fail(Code::Model, "{} is empty; wanted an ONNX file", path.string());
  if (file.size() > std::numeric_limits<int>::max()) {
    fail(Code::Model,
         "{} has {} bytes; an ONNX file holds less than 2 GiB: export the network with external "
         "data (onnx.save with save_as_external_data=True)",
         path.string(), file.size());
  }
  onnx::ModelProto model;
  if (!model.ParseFromFileDescriptor(file.descriptor()) || !model.has_graph() ||
      model.opset_import_size() == 0) {
    fail(Code::Model, "{} is not an ONNX file, or a truncated one; copy or export it again",
         path.string());
  }
  return model;
}

}  // namespace octet
