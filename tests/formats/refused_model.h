#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "formats/onnx/onnx_file.h"
#include "support/error_of.h"
#include "support/onnx_model.h"
#include "support/temp_folder.h"

namespace octet::test {

using Change = std::function<void(onnx::ModelProto&)>;

inline constexpr const char* kSmall =
    "g (float[N, 2] x) => (float[N, 3] y) <float[2, 3] w = {1, 2, 3, 4, 5, 6}, "
    "float[3] b = {1, 2, 3}> { [product] t = MatMul(x, w) [sum] y = Add(t, b) }";

/// A network that `read_onnx` refuses.
struct RefusedModel {
  const char* name;
  const char* text;
  Change change;
  Code code;
  const char* message;
};

inline void expect_refused(const RefusedModel& row) {
  const TempFolder folder;
  auto model = onnx_model(row.text);
  if (row.change) row.change(model);
  const auto path = write_model(folder, model);
  const Error error = error_of([&] { read_onnx(path); });
  EXPECT_EQ(error.code(), row.code) << row.name;
  EXPECT_EQ(folder.without(error.what()), row.message) << row.name;
}

}  // namespace octet::test
