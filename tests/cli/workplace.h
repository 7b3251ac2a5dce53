#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/data_files.h"
#include "support/program.h"
#include "support/temp_folder.h"

namespace octet::test {

namespace fs = std::filesystem;

/// A folder with an untrained network for 1x8x8 images of 3 classes, and 24 images.
class Workplace {
 public:
  Workplace() {
    const auto made = run_octet({"new", "resnet20", "--input", "1x8x8", "--classes", "3", "--width",
                                 "0.5", "-o", file("net.onnx")});
    if (made.status != 0) throw std::runtime_error(made.err);
    write("images", idx_bytes({24, 8, 8}, counting(std::size_t{24} * 64)));
    std::string labels;
    for (int i = 0; i < 24; ++i) labels += static_cast<char>(i % 3);
    write("labels", idx_bytes({24}, labels));
    write("data.yaml", data("images", "labels"));
  }

  std::string file(std::string_view name) const { return folder_ / name; }
  fs::path write(std::string_view name, std::string_view contents) const {
    return folder_.write(name, contents);
  }
  static std::string data(const std::string& images, const std::string& labels) {
    const std::string part = "{format: idx, images: " + images + ", labels: " + labels + "}\n";
    return "classes: 3\ntrain: " + part + "test: " + part;
  }
  std::string without(std::string text) const { return folder_.without(std::move(text)); }
  const TempFolder& folder() const { return folder_; }

  /// Every file, with its folders.
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      names.insert(without(entry.path().string()));
    }
    return names;
  }

 private:
  TempFolder folder_;
};

/// Words that start with '@' are files of the workplace.
inline std::vector<std::string> words(const Workplace& place, std::string_view line) {
  std::vector<std::string> out;
  for (size_t at = 0; at < line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    const std::string_view word = line.substr(at, end - at);
    if (!word.empty()) {
      out.push_back(word[0] == '@' ? place.file(word.substr(1)) : std::string(word));
    }
    at = end + 1;
  }
  return out;
}

/// What the program refuses, leaving nothing behind.
struct RefusedCommand {
  const char* name;
  const char* arguments;
  int status;
  const char* error;  ///< the line, without "octet: " and the workplace's path
};

inline void expect_refused(const Workplace& place, const RefusedCommand& row) {
  const std::set<std::string> before = place.files();
  const auto ended = run_octet(words(place, row.arguments));
  EXPECT_EQ(ended.status, row.status) << row.name;
  EXPECT_EQ(place.without(ended.err), std::string("octet: ") + row.error + "\n") << row.name;
  EXPECT_EQ(ended.out, "") << row.name;
  EXPECT_EQ(place.files(), before) << row.name;
}

}  // namespace octet::test
