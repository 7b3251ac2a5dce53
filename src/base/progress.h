#pragma once

#include "octet/progress.h"

namespace octet {

/// Tells a `ProgressSink` (which may be empty) how far one long step has come; the sink decides
/// what to show and how often. Counting starts at 0 of `total`.
class Step {
 public:
  Step(const ProgressSink& sink, std::string name, int64_t total, std::string unit)
      : sink_(sink), state_{std::move(name), 0, total, std::move(unit), ""} {
    tell();
  }
  /// `note` is a short figure to show beside the bar ("loss 0.31").
  void advance(int64_t count, std::string note = "") {
    state_.done += count;
    if (!note.empty()) state_.note = std::move(note);
    tell();
  }

 private:
  void tell() const {
    if (sink_) sink_(state_);
  }
  const ProgressSink& sink_;
  Progress state_;
};

}  // namespace octet
