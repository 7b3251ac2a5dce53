#include "runtime/onnxruntime_environment.h"

#include <algorithm>
#include <iostream>
#include <streambuf>
#include <thread>

#include "formats/onnx/schemas.h"

namespace octet {
namespace {

/// Passes on every line but those of ONNX Runtime and libonnx registering the same schemas, which
/// both do on start: "Schema error: ... already registered".
class SchemaFilter final : public std::streambuf {
 public:
  explicit SchemaFilter(std::streambuf* next) : next_(next) {}
  SchemaFilter(const SchemaFilter&) = delete;
  SchemaFilter& operator=(const SchemaFilter&) = delete;
  ~SchemaFilter() override { flush_line(); }

 private:
  int overflow(int character) override {
    if (character == traits_type::eof()) return 0;
    line_ += static_cast<char>(character);
    if (character == '\n') flush_line();
    return character;
  }
  void flush_line() {
    const bool harmless =
        line_.starts_with("Schema error: ") && line_.contains("already registered");
    const bool its_end = after_harmless_ && line_ == "\n";  // each is followed by an empty line
    after_harmless_ = harmless;
    if (!harmless && !its_end)
      next_->sputn(line_.data(), static_cast<std::streamsize>(line_.size()));
    line_.clear();
  }

  std::streambuf* next_;
  std::string line_;
  bool after_harmless_ = false;
};

int thread_count(int wanted) {
  return wanted > 0 ? wanted : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace

Ort::Env& onnxruntime_environment() {
  static Ort::Env env = [] {
    register_onnx_schemas();
    SchemaFilter filter(std::cerr.rdbuf());
    std::streambuf* const before = std::cerr.rdbuf(&filter);
    struct Restore {
      std::streambuf* before;
      ~Restore() { std::cerr.rdbuf(before); }
    } restore{before};
    return Ort::Env(ORT_LOGGING_LEVEL_ERROR, "octet");
  }();
  return env;
}

Ort::SessionOptions onnxruntime_options(int threads) {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(thread_count(threads));
  options.SetInterOpNumThreads(1);
  options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  options.AddConfigEntry("session.intra_op.allow_spinning", "0");
  return options;
}

}  // namespace octet
