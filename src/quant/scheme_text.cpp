#include "quant/scheme_text.h"

#include <format>

#include "base/fail.h"

namespace octet {

std::string scheme_text(const Scheme& scheme) {
  return std::format(
      "{} {} {}-bit {}",
      scheme.weights == Scheme::Weights::PerChannel ? "per-channel" : "per-tensor",
      scheme.activations == Scheme::Activations::Asymmetric ? "asymmetric" : "symmetric",
      scheme.activation_bits, scheme.ranges == Scheme::Ranges::Static ? "static" : "dynamic");
}

Scheme parse_scheme(std::string_view text) {
  for (const auto weights : {Scheme::Weights::PerChannel, Scheme::Weights::PerTensor}) {
    for (const auto activations :
         {Scheme::Activations::Asymmetric, Scheme::Activations::Symmetric}) {
      for (const auto ranges : {Scheme::Ranges::Static, Scheme::Ranges::Dynamic}) {
        for (const int bits : {8, 16}) {
          const Scheme scheme{weights, activations, bits, ranges};
          if (text == scheme_text(scheme)) return scheme;
        }
      }
    }
  }
  fail(Code::Model, "unknown scheme '{}'; wanted one such as '{}'", text, scheme_text({}));
}

}  // namespace octet
