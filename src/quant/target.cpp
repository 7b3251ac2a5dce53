#include "quant/target.h"

#include <algorithm>

#include "base/fail.h"
#include "base/text.h"
#include "quant/targets/profiles.h"

namespace octet {

const TargetOp* TargetProfile::find(std::string_view op) const {
  const auto it = std::ranges::find(ops, op, &TargetOp::op);
  return it == ops.end() || it->since > version ? nullptr : &*it;
}

Scheme::Weights TargetProfile::weights() const {
  const bool any = std::ranges::any_of(ops, [](const TargetOp& row) {
    return row.op == "Conv" && row.weights == Scheme::Weights::PerChannel;
  });
  return any ? Scheme::Weights::PerChannel : Scheme::Weights::PerTensor;
}

int TargetProfile::weight_bits() const {
  return std::ranges::min(ops, {}, &TargetOp::weight_bits).weight_bits;
}

const std::vector<TargetProfile>& all_targets() {
  static const std::vector<TargetProfile> targets{
      onnxruntime_cpu(), onnxruntime_qdq_any(), tflite(),  tflite_int16x8(),
      litert(),          nxp_neutron(),         ethos_u(), cmsis_nn()};
  return targets;
}

const TargetProfile& target_named(std::string_view name) {
  std::vector<std::string> known;
  for (const TargetProfile& target : all_targets()) {
    if (target.name == name) return target;
    known.emplace_back(target.name);
  }
  fail(Code::Usage, "{}", unknown_name("target", name, known));
}

TargetSet::TargetSet(std::span<const std::string> names) {
  if (names.empty()) fail(Code::Usage, "no target is given; name at least one");
  for (const std::string& name : names) {
    const TargetProfile* profile = &target_named(name);
    if (!std::ranges::contains(profiles_, profile)) profiles_.push_back(profile);
  }
}

std::vector<std::string> TargetSet::names() const {
  std::vector<std::string> found;
  for (const TargetProfile* profile : profiles_) found.emplace_back(profile->name);
  return found;
}

TargetSet TargetSet::of_16_bits() const {
  std::vector<std::string> found;
  for (const TargetProfile* profile : profiles_) {
    found.emplace_back(profile->of_16_bits.empty() ? profile->name : profile->of_16_bits);
  }
  return TargetSet(found);
}

bool TargetSet::supports(std::string_view op) const {
  return std::ranges::all_of(profiles_,
                             [&](const TargetProfile* profile) { return profile->find(op); });
}

bool TargetSet::tables() const { return std::ranges::all_of(profiles_, &TargetProfile::tables); }

bool TargetSet::narrow_sums() const {
  return std::ranges::any_of(profiles_, &TargetProfile::narrow_sums);
}

void TargetSet::check(const Scheme& scheme) const {
  for (const TargetProfile* profile : profiles_) {
    if (scheme.weight_range == Scheme::WeightRange::Full && profile->extension == ".tflite") {
      fail(Code::Usage,
           "the target {} has weights from -127 to 127 (TFLite's specification); wanted the "
           "narrow range",
           profile->name);
    }
    if (scheme.weight_bits < profile->weight_bits()) {
      fail(Code::Usage,
           "the target {} has no integer kernels of {}-bit weights; wanted 8 bits, or the target "
           "tflite",
           profile->name, scheme.weight_bits);
    }
    if (scheme.weights == profile->weights() || scheme.weights == Scheme::Weights::PerTensor)
      continue;
    fail(Code::Usage,
         "the target {} has weights per tensor only; leave the weights to the targets, or ask for "
         "per-tensor",
         profile->name);
  }
}

void TargetSet::check(Io io) const {
  for (const TargetProfile* profile : profiles_) {
    if (!profile->io_only || profile->io == io) continue;
    fail(Code::Usage,
         "a file for the target {} has int8 at its ends, nothing else; leave the ends to the "
         "targets, or ask for int8",
         profile->name);
  }
}

Scheme::Weights TargetSet::weights() const {
  return std::ranges::max(profiles_, {}, &TargetProfile::weights)->weights();
}

Io TargetSet::io() const {
  const auto it = std::ranges::find_if(
      profiles_, [](const TargetProfile* profile) { return profile->io != Io::Float; });
  return it == profiles_.end() ? Io::Float : (*it)->io;
}

std::string TargetSet::refusal(const Graph& graph, const Node& node) const {
  std::vector<std::string> without;
  std::vector<std::string> reasons;
  for (const TargetProfile* profile : profiles_) {
    const TargetOp* row = profile->find(node.op);
    if (!row) {
      without.emplace_back(profile->name);
    } else if (row->constraint) {
      const std::string reason = row->constraint(graph, node);
      if (!reason.empty()) reasons.push_back(std::format("on {} its {}", profile->name, reason));
    }
  }
  if (!without.empty()) {
    reasons.insert(reasons.begin(),
                   std::format("{} {} no integer form of it", join(without, " and "),
                               without.size() == 1 ? "has" : "have"));
  }
  return join(reasons, ", and ");
}

TargetOp TargetSet::demand(std::string_view op) const {
  TargetOp strictest{op};
  int bits = 4;
  for (const TargetProfile* profile : profiles_) {
    const TargetOp* row = profile->find(op);
    if (!row) continue;
    const Scheme::Weights weights = std::max(row->weights, strictest.weights);
    if (row->output > strictest.output) strictest = *row;
    strictest.weights = weights;
    bits = std::max(bits, row->weight_bits);
  }
  strictest.weight_bits = bits;
  return strictest;
}

}  // namespace octet
