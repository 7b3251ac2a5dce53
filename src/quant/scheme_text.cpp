#include "quant/scheme_text.h"

#include <format>

#include "base/fail.h"

namespace octet {

std::string scheme_text(const Scheme& scheme) {
  return std::format(
      "{} {} {}-bit {} {}",
      scheme.weights == Scheme::Weights::PerChannel ? "per-channel" : "per-tensor",
      scheme.activations == Scheme::Activations::Asymmetric ? "asymmetric" : "symmetric",
      scheme.activation_bits, scheme.ranges == Scheme::Ranges::Static ? "static" : "dynamic",
      scheme.saturation == Scheme::Saturation::Avoid ? "avoid" : "report");
}

Scheme parse_scheme(std::string_view text) {
  for (int choice = 0; choice < 32; ++choice) {
    const auto chosen = [&](int bit) { return (choice >> bit & 1) != 0; };
    const Scheme scheme{
        .weights = chosen(0) ? Scheme::Weights::PerTensor : Scheme::Weights::PerChannel,
        .activations = chosen(1) ? Scheme::Activations::Symmetric : Scheme::Activations::Asymmetric,
        .activation_bits = chosen(2) ? 16 : 8,
        .ranges = chosen(3) ? Scheme::Ranges::Dynamic : Scheme::Ranges::Static,
        .saturation = chosen(4) ? Scheme::Saturation::Report : Scheme::Saturation::Avoid};
    if (text == scheme_text(scheme)) return scheme;
  }
  fail(Code::Model, "unknown scheme '{}'; wanted one such as '{}'", text, scheme_text({}));
}

}  // namespace octet
