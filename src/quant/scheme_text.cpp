#include "quant/scheme_text.h"

#include <format>
#include <optional>

#include "base/fail.h"

namespace octet {

namespace {

std::string groups_text(const Scheme::Groups& groups) {
  return std::format("weight-only {}-bit groups of {} {}", groups.bits, groups.size,
                     groups.symmetric ? "symmetric" : "asymmetric");
}

/// nullopt for the text of another scheme.
std::optional<Scheme> parse_groups(std::string_view text) {
  for (const int bits : kGroupBits) {
    for (const int64_t size : kGroupSizes) {
      for (const bool symmetric : {false, true}) {
        const Scheme::Groups groups{.bits = bits, .size = size, .symmetric = symmetric};
        if (text != groups_text(groups)) continue;
        return Scheme{.ranges = Scheme::Ranges::WeightOnly, .groups = groups};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::string scheme_text(const Scheme& scheme) {
  if (scheme.ranges == Scheme::Ranges::WeightOnly) return groups_text(scheme.groups);
  return std::format(
      "{} {} {}-bit {} {}{}{}{}",
      scheme.weights == Scheme::Weights::PerChannel ? "per-channel" : "per-tensor",
      scheme.activations == Scheme::Activations::Asymmetric ? "asymmetric" : "symmetric",
      scheme.activation_bits, scheme.ranges == Scheme::Ranges::Static ? "static" : "dynamic",
      scheme.saturation == Scheme::Saturation::Avoid ? "avoid" : "report",
      scheme.weight_range == Scheme::WeightRange::Full ? " full-range" : "",
      scheme.scales == Scheme::Scales::PowerOfTwo ? " power-of-two" : "",
      scheme.weight_bits == 4 ? " 4-bit-weights" : "");
}

Scheme parse_scheme(std::string_view text) {
  if (const auto scheme = parse_groups(text)) return *scheme;
  for (int choice = 0; choice < 256; ++choice) {
    const auto chosen = [&](int bit) { return (choice >> bit & 1) != 0; };
    const Scheme scheme{
        .weights = chosen(0) ? Scheme::Weights::PerTensor : Scheme::Weights::PerChannel,
        .activations = chosen(1) ? Scheme::Activations::Symmetric : Scheme::Activations::Asymmetric,
        .activation_bits = chosen(2) ? 16 : 8,
        .weight_bits = chosen(7) ? 4 : 8,
        .ranges = chosen(3) ? Scheme::Ranges::Dynamic : Scheme::Ranges::Static,
        .saturation = chosen(4) ? Scheme::Saturation::Report : Scheme::Saturation::Avoid,
        .weight_range = chosen(5) ? Scheme::WeightRange::Full : Scheme::WeightRange::Narrow,
        .scales = chosen(6) ? Scheme::Scales::PowerOfTwo : Scheme::Scales::Any};
    if (text == scheme_text(scheme)) return scheme;
  }
  fail(Code::Model, "unknown scheme '{}'; wanted one such as '{}'", text, scheme_text({}));
}

}  // namespace octet
