#pragma once

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>
#include <onnxruntime_cxx_api.h>

#include <cmath>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "graph/quant_table.h"
#include "graph/tensor.h"
#include "runtime/session.h"
#include "support/temp_folder.h"

namespace octet::test {

/// A file of any inputs in ONNX Runtime, as the library's sessions open it.
class OrtRun {
 public:
  explicit OrtRun(const std::vector<std::byte>& file) {
    const TempFolder folder;
    const std::string path =
        folder.write("m.onnx", {reinterpret_cast<const char*>(file.data()), file.size()});
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    options.SetOptimizedModelFilePath((folder / "optimized.onnx").c_str());
    session_ = Ort::Session(environment(), path.c_str(), options);
    onnx::ModelProto optimized;
    std::ifstream in(folder / "optimized.onnx", std::ios::binary);
    EXPECT_TRUE(optimized.ParseFromIstream(&in));
    for (const auto& node : optimized.graph().node()) ops.insert(node.op_type());
  }

  /// The operators that it really runs.
  std::multiset<std::string> ops;
  bool has(std::string_view op) const { return ops.contains(std::string(op)); }

  /// The float output `output`.
  std::vector<float> operator()(std::vector<std::pair<std::string, Tensor>>& inputs,
                                const std::string& output) const {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    std::vector<Ort::Value> values;
    std::vector<const char*> names;
    for (auto& [name, real] : inputs) {
      const auto data = real.as<float>();
      values.push_back(Ort::Value::CreateTensor<float>(memory, data.data(), data.size(),
                                                       real.shape.data(), real.shape.size()));
      names.push_back(name.c_str());
    }
    const char* wanted = output.c_str();
    const auto results = session_.Run(Ort::RunOptions{nullptr}, names.data(), values.data(),
                                      values.size(), &wanted, 1);
    const auto* begin = results[0].GetTensorData<float>();
    return {begin, begin + results[0].GetTensorTypeAndShapeInfo().GetElementCount()};
  }

 private:
  static Ort::Env& environment() {
    static Ort::Env env = [] {
      // A session of the library starts ONNX Runtime without its complaints about known schemas.
      const TempFolder folder;
      EXPECT_ANY_THROW(open_onnxruntime(folder.write("no.onnx", "no network"), 1));
      return Ort::Env(ORT_LOGGING_LEVEL_ERROR, "octet-test");
    }();
    return env;
  }

  mutable Ort::Session session_{nullptr};
};

/// The integers of real numbers that lie on a grid.
inline std::vector<int32_t> integers_of(const std::vector<float>& real, const QuantParams& grid) {
  std::vector<int32_t> integers;
  for (const float number : real) {
    const double steps = static_cast<double>(number) / grid.scale[0];
    integers.push_back(static_cast<int32_t>(std::nearbyint(steps)) + grid.zero_point[0]);
  }
  return integers;
}

/// Runs `test(case, i)` for i in [0, count), each on a Case of its own (with its sums of `compared`
/// and `different` numbers and the `worst` difference), and demands no difference.
template <class Case, class Test>
void for_each_case(int count, Test test) {
  int32_t worst = 0;
  size_t different = 0;
  size_t compared = 0;
  int bad_cases = 0;
  for (int i = 0; i < count; ++i) {
    Case one(static_cast<unsigned>(1000 + i));
    ASSERT_NO_THROW(test(one, i)) << "case " << i;
    if (::testing::Test::HasFailure()) FAIL() << "case " << i;
    worst = std::max(worst, one.worst);
    different += one.different;
    compared += one.compared;
    bad_cases += one.different > 0;
  }
  EXPECT_EQ(worst, 0) << different << " of " << compared << " differ, in " << bad_cases << " of "
                      << count << " cases";
}

}  // namespace octet::test
