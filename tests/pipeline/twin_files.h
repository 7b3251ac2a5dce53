#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "api/adopt.h"
#include "base/file.h"
#include "base/text.h"
#include "formats/onnx/onnx_file.h"
#include "formats/tflite/writer.h"
#include "octet/octet.h"
#include "pipeline/minimal_file.h"
#include "quant/scheme_text.h"
#include "support/temp_folder.h"

namespace octet::test {

inline std::vector<std::byte> file_of(const Graph& graph, const QuantTable& table,
                                      const std::string& target) {
  return target == "tflite" ? write_tflite(graph, table) : write_onnx(graph, table);
}

/// What `compare` says that is not equal.
inline std::string parting(const Comparison& found) {
  std::string text;
  for (const Difference& held : found.differences) {
    text += held.tensor + ": " + held.what + ": " + held.a + " / " + held.b + "\n";
  }
  for (const OneSided& held : found.one_sided) {
    if (held.reason.empty()) text += held.tensor + ": only in " + held.path + "\n";
  }
  return text;
}

/// A network's files, one per target.
class TwinFiles {
 public:
  TwinFiles(const Graph& graph, const QuantTable& table, std::vector<std::string> targets)
      : targets_(std::move(targets)) {
    for (const std::string& target : targets_)
      write_file(path(target), file_of(graph, table, target));
  }

  std::filesystem::path path(const std::string& target) const {
    return folder_ / (target == "tflite" ? "n.tflite" : "n.onnx");
  }
  const std::filesystem::path& folder() const { return folder_.path(); }

  void check_minimal() const {
    for (const std::string& target : targets_) {
      SCOPED_TRACE(target);
      target == "tflite" ? check_minimal_tflite(path(target)) : check_minimal_onnx(path(target));
    }
  }

  /// Both store the same.
  void check_equal() const {
    const Comparison found = compare(path(targets_.at(0)), path(targets_.at(1)));
    EXPECT_EQ(parting(found), "");
    EXPECT_TRUE(found.equal());
    EXPECT_GT(found.values, 0);
  }

  /// Every file gives back the network that writes it again, byte by byte.
  void check_adopted(const Graph& original, const Scheme& scheme = {},
                     const std::vector<Override>& overrides = {}) const {
    for (const std::string& target : targets_) {
      SCOPED_TRACE(target);
      StoredFile stored = read_stored(path(target));
      stored.properties["octet.targets"] = join(targets_, ",");
      stored.properties["octet.scheme"] = scheme_text(scheme);
      stored.properties["octet.overrides"] = overrides_text(overrides);
      const QuantizedNetwork adopted = adopt(original, stored);
      for (const std::string& again : targets_) {
        EXPECT_TRUE(file_of(adopted.graph, adopted.table, again) ==
                    read_file(path(again), Code::Io))
            << again;
      }
    }
  }

 private:
  TempFolder folder_;
  std::vector<std::string> targets_;
};

}  // namespace octet::test
