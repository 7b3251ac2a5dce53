#include "api/deployed_score.h"

#include <algorithm>

#include "base/file.h"
#include "eval/score.h"
#include "quant/target.h"
#include "runtime/session.h"

namespace octet {
namespace {

/// .onnx where a target has it, else the first target's.
std::string extension_of(const QuantizedNetwork& network) {
  std::string first;
  for (const std::string& name : network.targets) {
    const std::string extension(target_named(name).extension);
    if (extension == ".onnx") return extension;
    if (first.empty()) first = extension;
  }
  return first;
}

/// The validation images, each with the class that the float network says.
std::unique_ptr<Dataset> judged_by_float(const TrainingPlace& place) {
  const std::vector<int64_t>& indices = place.parts.validation;
  const auto unlabelled =
      relabelled(place.dataset, indices, std::vector<int64_t>(indices.size(), 0));
  const Score score = octet::score(*open_session(place.out / "float.onnx", 0), *unlabelled,
                                   place.recipe.evaluation.batch, "", {});
  return relabelled(place.dataset, indices, {score.predictions.begin(), score.predictions.end()});
}

}  // namespace

DeployedScore::DeployedScore(const TrainingPlace& place, const QuantizedNetwork& network,
                             bool by_float)
    : form_(std::make_shared<QuantizedNetwork>(network)),
      images_(by_float ? judged_by_float(place) : subset(place.dataset, place.parts.validation)),
      path_(place.out / (std::string(kCandidateName) + extension_of(network).substr(1))),
      batch_(place.recipe.evaluation.batch) {}

double DeployedScore::operator()(const Graph& graph, const QuantTable& table) const {
  form_->graph = graph;
  form_->table = table;
  write_file(path_, quantized_file(*form_, path_));
  const Score score = octet::score(*open_session(path_, 0), *images_, batch_, "", {});
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
  return score.top1;
}

}  // namespace octet
