#include "api/refine.h"

#include <cmath>
#include <format>

#include "base/text.h"
#include "quant/analytic_bias.h"
#include "quant/bias_correction.h"
#include "quant/ratio.h"
#include "train/adaround.h"
#include "train/learn_ranges.h"
#include "train/reconstruct.h"

namespace octet {
namespace {

constexpr int64_t kBiasImages = 512;

void learn(QuantizedNetwork& network, const MethodContext& context, const WalkSettings& settings) {
  const auto units =
      learn_units(*context.reference, network.graph, network.placement, network.table,
                  first_images(context, settings.images), settings, context.progress);
  check_ratios(network.graph, network.table, TargetSet(network.targets));
  double before = 0;
  double after = 0;
  size_t better = 0;
  for (const LearnedUnit& unit : units) {
    before += unit.before;
    after += unit.after;
    better += unit.after < unit.before ? 1 : 0;
  }
  const auto count = static_cast<double>(std::max<size_t>(1, units.size()));
  context.notes.push_back(std::format(
      "{}: {} of {} {} are nearer to what they give in float; their mean square error fell from "
      "{:.2e} to {:.2e} of their power, in the mean",
      settings.name, better, units.size(), settings.by_layer ? "layers" : "blocks", before / count,
      after / count));
}

}  // namespace

void run_bias_correction(QuantizedNetwork& network, const MethodContext& context) {
  const BiasCorrection done = correct_biases(
      *context.reference, network.graph, network.placement, network.table,
      [&] { return first_images(context, kBiasImages); }, context.progress);
  context.notes.push_back(std::format(
      "bias-correction: the biases of {} layers moved; their channels' means were off by {:.2f} % "
      "of a deviation, in the mean",
      done.layers, 100 * done.before));
  if (!done.not_finite.empty()) {
    context.notes.push_back("bias-correction: for some image not finite, and left as they were: " +
                            join(done.not_finite, ", "));
  }
  if (done.without.empty()) return;
  context.notes.push_back("bias-correction: no bias fits to " + join(done.without, ", "));
}

void run_analytic_bias_correction(QuantizedNetwork& network, const MethodContext& context) {
  const AnalyticCorrection done = correct_biases_by_means(
      *context.reference, network.graph, network.placement, network.table, context.seen->means);
  context.notes.push_back(
      std::format("analytic-bias-correction: the biases of {} layers moved", done.layers));
  if (done.without.empty()) return;
  context.notes.push_back("analytic-bias-correction: no bias fits to " + join(done.without, ", "));
}

void run_adaround(QuantizedNetwork& network, const MethodContext& context) {
  learn(network, context, adaround());
}

void run_reconstruct(QuantizedNetwork& network, const MethodContext& context) {
  learn(network, context, reconstruct());
}

void run_learn_ranges(QuantizedNetwork& network, const MethodContext& context) {
  learn(network, context, learn_ranges());
}

}  // namespace octet
