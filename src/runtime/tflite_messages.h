#pragma once

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

#include "base/text.h"
#include "tensorflow/lite/core/api/error_reporter.h"

namespace octet {

/// Keeps what TFLite would print; from any thread.
class TfliteMessages final : public tflite::ErrorReporter {
 public:
  using tflite::ErrorReporter::Report;
  int Report(const char* format, va_list arguments) override {
    std::string line(512, '\0');
    const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
    line.resize(static_cast<size_t>(std::clamp(length, 0, 511)));
    const std::lock_guard lock(mutex_);
    if (!text_.empty()) text_ += "; ";
    text_ += first_line(line);
    return length;
  }
  std::string take() {
    const std::lock_guard lock(mutex_);
    std::string taken = text_.empty() ? "no reason given" : std::move(text_);
    text_.clear();
    return taken;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

}  // namespace octet
