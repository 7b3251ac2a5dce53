#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace octet::conformance {

/// One of ONNX's test models.
struct ModelTest {
  std::filesystem::path model;
  std::string name;   ///< "node/test_add"
  std::string group;  ///< its operator; for a model of several, its name
};

/// The models below `root`, ordered by name.
std::vector<ModelTest> find_models(const std::filesystem::path& root);

enum class Outcome : char { Passed = 'p', Failed = 'f', Unsupported = 'u' };

struct Result {
  Outcome outcome = Outcome::Passed;
  std::string reason;  ///< one line; empty where it passed
};

/// Runs the model on each of its data sets and compares all outputs with the stored ones: types and
/// shapes equal, NaN where NaN is wanted, |ours - theirs| <= atol + rtol |theirs| with the
/// tolerances of ONNX's own test runner. Not supported: what octet refuses with Code::Unsupported.
Result run_model(const ModelTest& test);

/// The same in a child process: a crash, or a minute without an answer, is a failure of this model
/// alone and names the signal.
Result run_apart(const ModelTest& test);

}  // namespace octet::conformance
