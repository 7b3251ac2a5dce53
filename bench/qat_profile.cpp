#include "qat_profile.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <print>
#include <ranges>

namespace octet::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kShown = 25;

/// Callbacks of LibTorch are functions without a state, so this is one of the thread.
class Recorder {
 public:
  static Recorder& of_thread() {
    thread_local Recorder recorder;
    return recorder;
  }

  void clear() { times_.clear(); }
  void enter(const char* name) {
    open_.push_back({.name = name, .backward = backward_ > 0, .start = Clock::now()});
    if (is_engine(open_.back().name)) ++backward_;
  }
  void leave() {
    const Open ended = open_.back();
    open_.pop_back();
    const double all =
        std::chrono::duration<double, std::milli>(Clock::now() - ended.start).count();
    if (is_engine(ended.name)) --backward_;
    if (!open_.empty()) open_.back().inner += all;
    OperatorTime& time = times_[(ended.backward ? "<- " : "") + ended.name];
    time.calls += 1;
    time.milliseconds += all - ended.inner;
  }
  const std::map<std::string, OperatorTime>& times() const { return times_; }

 private:
  struct Open {
    std::string name;
    bool backward = false;
    Clock::time_point start = {};
    double inner = 0;  ///< in what it called
  };
  static bool is_engine(const std::string& name) { return name.starts_with("autograd::engine"); }

  std::vector<Open> open_;
  std::map<std::string, OperatorTime> times_;
  int backward_ = 0;
};

std::unique_ptr<at::ObserverContext> on_enter(const at::RecordFunction& function) {
  Recorder::of_thread().enter(function.name());
  return nullptr;
}

void on_leave(const at::RecordFunction& /*function*/, at::ObserverContext* /*context*/) {
  Recorder::of_thread().leave();
}

}  // namespace

StepProfile profile_steps(const std::function<void()>& step, int steps) {
  step();
  Recorder::of_thread().clear();
  const at::CallbackHandle handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(on_enter, on_leave));
  const auto start = Clock::now();
  for (int i = 0; i < steps; ++i) step();
  StepProfile profile{.milliseconds =
                          std::chrono::duration<double, std::milli>(Clock::now() - start).count() /
                          steps};
  at::removeCallback(handle);
  for (const auto& [name, time] : Recorder::of_thread().times()) {
    profile.operators.push_back({name, time.calls / steps, time.milliseconds / steps});
  }
  return profile;
}

void print_profile(const std::string& title, StepProfile profile) {
  std::ranges::sort(profile.operators, std::greater{}, &OperatorTime::milliseconds);
  double sum = 0;
  for (const OperatorTime& time : profile.operators) sum += time.milliseconds;
  std::println("{}\n  {:<76} {:>7} {:>9} {:>6}", title, "operator", "calls", "ms", "share");
  for (const OperatorTime& time : profile.operators | std::views::take(kShown)) {
    std::println("  {:<76.76} {:>7.1f} {:>9.3f} {:>5.1f}%", time.name, time.calls,
                 time.milliseconds, 100 * time.milliseconds / profile.milliseconds);
  }
  std::println("  {:<76} {:>7} {:>9.3f}\n  {:<76} {:>7} {:>9.3f}", "all operators", "", sum,
               "the step", "", profile.milliseconds);
}

}  // namespace octet::bench
