#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "formats/tflite/writer.h"
#include "runtime/session.h"
#include "support/temp_folder.h"

namespace octet::test {

/// A written network, opened in TFLite.
class TfliteNetwork {
 public:
  TfliteNetwork(const Graph& graph, const QuantTable& table) {
    write_file(folder_ / "net.tflite", write_tflite(graph, table));
    session_ = open_tflite(folder_ / "net.tflite", 1);
  }
  Session& session() { return *session_; }

  /// Names of the operators between QUANTIZE and DEQUANTIZE.
  std::string operators() {
    std::vector<std::string> names;
    for (const OperatorUse& use : session_->operators()) names.push_back(use.name);
    EXPECT_EQ(names.front(), "QUANTIZE");
    EXPECT_EQ(names.back(), "DEQUANTIZE");
    return join(std::span(names).subspan(1, names.size() - 2), " ");
  }

 private:
  TempFolder folder_;
  std::unique_ptr<Session> session_;
};

/// The numbers of an image in NHWC.
inline std::vector<float> channels_last(const Tensor& image) {
  const auto from = image.as<float>();
  if (image.shape.size() != 4) return {from.begin(), from.end()};
  const auto channels = static_cast<size_t>(image.shape[1]);
  const size_t area = from.size() / channels;
  std::vector<float> to(from.size());
  for (size_t i = 0; i < from.size(); ++i) to[i % area * channels + i / area] = from[i];
  return to;
}

}  // namespace octet::test
