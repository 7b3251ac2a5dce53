#include "api/methods.h"

#include <algorithm>
#include <array>
#include <memory>

#include "api/channel_methods.h"
#include "api/refine.h"
#include "base/fail.h"
#include "base/text.h"
#include "octet/octet.h"

namespace octet {

std::span<const Method> all_methods() {
  static constexpr std::array kMethods{
      Method{.name = "equalize",
             .summary = "weights before and after a value are balanced by channel (CLE, 2019)",
             .needs_images = false,
             .prepare = run_equalize},
      Method{.name = "equalize-sums",
             .summary = "the same, and where residual sums join several weights",
             .needs_images = false,
             .prepare = run_equalize_sums},
      Method{
          .name = "migrate",
          .summary = "channels of values become alike, weights take the rest (SmoothQuant, 2022)",
          .prepare = run_migrate},
      Method{.name = "equalize-heads",
             .summary = "heads of linear attention get divisors alike, and values by channel",
             .prepare = run_equalize_heads},
      Method{.name = "absorb-bias",
             .summary = "what all values are above moves into the next bias (2019)",
             .prepare = run_absorb_bias},
      Method{.name = "learn-ranges",
             .summary = "the steps of activations learn, block by block (LSQ, 2020)",
             .free_grids = true,
             .refine = run_learn_ranges},
      Method{.name = "adaround",
             .summary = "weights learn, layer by layer, to be rounded up or down (AdaRound, 2020)",
             .free_grids = true,
             .refine = run_adaround},
      Method{.name = "reconstruct",
             .summary = "rounding and steps learn, block by block (BRECQ, 2021; QDrop, 2022)",
             .free_grids = true,
             .refine = run_reconstruct},
      Method{.name = "analytic-bias-correction",
             .summary = "biases take back what rounding of weights adds, by known means (2019)",
             .needs_images = false,
             .refine = run_analytic_bias_correction},
      Method{.name = "bias-correction",
             .summary = "biases take back what all rounding adds to channels' means (2019)",
             .refine = run_bias_correction},
  };
  return kMethods;
}

std::vector<std::pair<std::string, std::string>> methods() {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Method& method : all_methods()) all.emplace_back(method.name, method.summary);
  return all;
}

std::vector<const Method*> methods_named(const std::vector<std::string>& names, bool images) {
  std::vector<std::string> known;
  for (const Method& method : all_methods()) known.emplace_back(method.name);
  for (const std::string& name : names) {
    if (std::ranges::contains(known, name)) continue;
    fail(Code::Usage, "the method is '{}'; wanted one of {}", name, join(known, ", "));
  }
  std::vector<const Method*> found;
  for (const Method& method : all_methods()) {
    if (!std::ranges::contains(names, method.name)) continue;
    if (method.needs_images && !images) {
      fail(Code::Usage,
           "the method '{}' looks at images; give a data description beside the calibration",
           method.name);
    }
    found.push_back(&method);
  }
  return found;
}

void run_preparing(std::span<const Method* const> methods, Graph& graph,
                   const MethodContext& context) {
  for (const Method* method : methods) {
    if (method->prepare) method->prepare(graph, context);
  }
}

NextImages first_images(const MethodContext& context, int64_t most) {
  static const ProgressSink kQuiet;  // methods tell how far they are themselves
  CalibrationSettings settings = context.settings;
  settings.images = std::min(settings.images, most);
  const auto stream = std::make_shared<ImageStream>(context.images->dataset, context.images->split,
                                                    settings, kQuiet);
  return [stream](std::vector<float>& images) { return stream->next(images); };
}

}  // namespace octet
