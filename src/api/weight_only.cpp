#include <algorithm>
#include <format>
#include <memory>

#include "api/stages.h"
#include "base/fail.h"
#include "quant/round_products.h"

namespace octet {
namespace {

bool wants_gptq(const CalibrationSettings& settings, bool images) {
  for (const std::string& name : settings.methods) {
    if (name == "gptq") continue;
    fail(Code::Usage,
         "the method '{}' is not for weight-only ranges; wanted 'gptq', or none: rounding to the "
         "nearest",
         name);
  }
  if (!settings.methods.empty() && !images) {
    fail(Code::Usage, "the method 'gptq' looks at images or a text; give a data description");
  }
  return !settings.methods.empty();
}

RoundedProducts by_gptq(Graph& graph, const Scheme::Groups& groups, const CalibrationImages& images,
                        const CalibrationSettings& settings, const ProgressSink& progress) {
  return round_products(graph, groups, [&] {
    const auto stream =
        std::make_shared<ImageStream>(images.dataset, images.split, settings, progress);
    return [stream](std::vector<float>& batch) { return stream->next(batch); };
  });
}

}  // namespace

QuantizedNetwork quantize_in_groups(Graph graph, const Deployment& deployment,
                                    const CalibrationImages* images,
                                    const CalibrationSettings& settings,
                                    const ProgressSink& progress) {
  const bool looks = wants_gptq(settings, images != nullptr);
  if (images) check_input(graph, images->dataset);
  QuantizedNetwork network = fuse_for_weights(std::move(graph), deployment);
  const Scheme::Groups& groups = deployment.scheme.groups;
  RoundedProducts made = looks ? by_gptq(network.graph, groups, *images, settings, progress)
                               : round_products(network.graph, groups);
  network.groups = std::move(made.groups);
  for (const std::string& product : made.to_nearest) {
    network.methods.push_back(std::format(
        "gptq: {} reads too many inputs for a Gram matrix, and is rounded to the nearest",
        product));
  }
  if (looks) {
    network.methods.push_back(
        std::format("gptq: {} products rounded for what they read, in {} looks at {} {}",
                    network.groups.size() - made.to_nearest.size(), made.looks,
                    std::min(settings.images, std::ssize(images->split.train)),
                    reads_tokens(network.graph) ? "sequences" : "images"));
  }
  return network;
}

}  // namespace octet
