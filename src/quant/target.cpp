#include "quant/target.h"

#include <algorithm>

#include "base/fail.h"
#include "base/text.h"
#include "quant/targets/profiles.h"

namespace octet {

const TargetOp* TargetProfile::find(std::string_view op) const {
  const auto it = std::ranges::find(ops, op, &TargetOp::op);
  return it == ops.end() ? nullptr : &*it;
}

const std::vector<TargetProfile>& all_targets() {
  static const std::vector<TargetProfile> targets{onnxruntime_cpu(), tflite(), tflite_int16x8()};
  return targets;
}

const TargetProfile& target_named(std::string_view name) {
  std::vector<std::string> known;
  for (const TargetProfile& target : all_targets()) {
    if (target.name == name) return target;
    known.emplace_back(target.name);
  }
  fail(Code::Usage, "unknown target '{}'; known are {}", name, join(known));
}

TargetSet::TargetSet(std::span<const std::string> names) {
  if (names.empty()) fail(Code::Usage, "no target is given; name at least one");
  for (const std::string& name : names) {
    const TargetProfile* profile = &target_named(name);
    if (!std::ranges::contains(profiles_, profile)) profiles_.push_back(profile);
  }
}

bool TargetSet::supports(std::string_view op) const { return refusing(op).empty(); }

std::vector<std::string> TargetSet::refusing(std::string_view op) const {
  std::vector<std::string> names;
  for (const TargetProfile* profile : profiles_) {
    if (!profile->find(op)) names.emplace_back(profile->name);
  }
  return names;
}

TargetOp TargetSet::demand(std::string_view op) const {
  TargetOp strictest{op};
  for (const TargetProfile* profile : profiles_) {
    const TargetOp* row = profile->find(op);
    if (row && row->output > strictest.output) strictest = *row;
  }
  return strictest;
}

}  // namespace octet
