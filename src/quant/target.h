#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/tensor.h"

namespace octet {

/// What a target demands of an operator's output grid.
enum class OutputGrid : uint8_t {
  Free,  ///< any scale and zero point
  SameAsInput,
  Fixed,  ///< `scale` and `zero_point` of the row
};

/// One operator that a target computes in integers.
struct TargetOp {
  std::string_view op;  ///< ONNX operator name
  OutputGrid output = OutputGrid::Free;
  float scale = 0;
  int32_t zero_point = 0;
};

/// What a runtime can do, as data. An operator without a row has no integer kernel there: it must
/// be lowered to operators that have one, be a table, or stay in float where the files may.
struct TargetProfile {
  std::string_view name;
  std::string_view format;     ///< of its files: "ONNX INT8"
  std::string_view extension;  ///< of its files: ".onnx"
  std::span<const TargetOp> ops;
  bool float_between = false;  ///< its files may compute an operator in float between integers
  int activation_bits = 8;     ///< that its integer kernels take

  const TargetOp* find(std::string_view op) const;  ///< nullptr: no integer kernel
};

const std::vector<TargetProfile>& all_targets();

/// Throws Code::Usage naming the known targets.
const TargetProfile& target_named(std::string_view name);

/// The targets that one run serves together: where their rules differ the strictest holds, so one
/// set of integers fits all of them.
class TargetSet {
 public:
  /// At least one; throws as `target_named`.
  explicit TargetSet(std::span<const std::string> names);

  std::span<const TargetProfile* const> profiles() const { return profiles_; }
  /// Every target has an integer kernel.
  bool supports(std::string_view op) const;
  /// Names of the targets that have none.
  std::vector<std::string> refusing(std::string_view op) const;
  /// The strictest demand of the set: Fixed before SameAsInput before Free.
  TargetOp demand(std::string_view op) const;

 private:
  std::vector<const TargetProfile*> profiles_;
};

}  // namespace octet
