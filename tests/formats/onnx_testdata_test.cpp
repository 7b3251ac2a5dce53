#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <print>

#include "formats/onnx/onnx_file.h"
#include "octet/error.h"

namespace octet {
namespace {

namespace fs = std::filesystem;

/// ONNX's own test models: one per operator and variant, and a few networks.
TEST(OnnxTestdata, IsReadOrRefused) {
  const fs::path root = "/usr/share/libonnx-testdata";
  ASSERT_TRUE(fs::is_directory(root))
      << root << " is missing: install the package libonnx-testdata (packages.txt)";
  int read = 0;
  std::map<Code, int> refused;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".onnx") continue;
    try {
      const Graph graph = read_onnx(entry.path());
      ++read;
      EXPECT_FALSE(graph.outputs().empty()) << entry.path();
    } catch (const Error& error) {
      ++refused[error.code()];
      EXPECT_TRUE(error.code() == Code::Unsupported || error.code() == Code::Model)
          << entry.path() << ": " << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << entry.path() << ": not octet::Error but: " << error.what();
    }
  }
  std::println("{} read, {} refused as unsupported, {} as not well formed", read,
               refused[Code::Unsupported], refused[Code::Model]);
  EXPECT_EQ(refused[Code::Model], 0);  // all of them are well formed
  EXPECT_GE(read, 1544);  // of 1,802; the rest: sequences, subgraphs, strings and other types
}

}  // namespace
}  // namespace octet
