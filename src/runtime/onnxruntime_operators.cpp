#include "runtime/onnxruntime_operators.h"

#include <onnxruntime_cxx_api.h>
#include <unistd.h>

#include "base/fail.h"
#include "formats/summary.h"
#include "runtime/onnxruntime_environment.h"

namespace octet {
namespace {

/// A file of its own, removed at the end.
class TemporaryFile {
 public:
  TemporaryFile() {
    std::string name = (std::filesystem::temp_directory_path() / "octet-XXXXXX.onnx").string();
    const int fd = ::mkstemps(name.data(), 5);
    if (fd < 0) fail(Code::Io, "cannot write a temporary file {}", name);
    ::close(fd);
    path_ = name;
  }
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::vector<OperatorUse> executed_operators(const std::filesystem::path& path) {
  const TemporaryFile optimized;
  translated(path, Code::Runtime, [&] {
    Ort::SessionOptions options = onnxruntime_options(1);
    options.SetOptimizedModelFilePath(optimized.path().c_str());
    const Ort::Session saved(onnxruntime_environment(), path.c_str(), options);
  });
  std::vector<OperatorUse> uses;
  for (FileOperator& node : summarize_onnx(optimized.path()).operators) {
    uses.push_back({std::move(node.op), std::move(node.node), std::move(node.type)});
  }
  return uses;
}

}  // namespace octet
