#pragma once

#include <functional>
#include <string>
#include <vector>

namespace octet::bench {

/// Time in an operator itself, without the operators that it calls.
struct OperatorTime {
  std::string name;
  double calls = 0;         ///< per step
  double milliseconds = 0;  ///< per step
};
struct StepProfile {
  std::vector<OperatorTime> operators;
  double milliseconds = 0;  ///< of a whole step
};

/// What LibTorch records of `steps` steps on this thread; "<- " marks what backward calls.
StepProfile profile_steps(const std::function<void()>& step, int steps);

/// The slowest, their sum, and the step.
void print_profile(const std::string& title, StepProfile profile);

}  // namespace octet::bench
