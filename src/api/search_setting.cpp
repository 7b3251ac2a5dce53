#include "api/search_setting.h"

#include <algorithm>
#include <charconv>

#include "api/methods.h"
#include "base/digest.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "quant/observer.h"

namespace octet {

std::optional<double> search_seconds(const std::string& text) {
  if (text.empty()) return std::nullopt;
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, end);
  const double factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (error != std::errc() || factor == 0 || !(number > 0) || number > 1e6) {
    fail(Code::Usage,
         "the time is '{}'; wanted a number above 0 and its unit, such as 30s, 10m or 2h", text);
  }
  return number * factor;
}

void check_search(const SearchOptions& options) {
  search_seconds(options.time);
  if (!(options.max_drop >= 0 && options.max_drop <= 100)) {
    fail(Code::Usage, "the drop that is allowed is {} points; wanted 0 to 100", options.max_drop);
  }
  if (options.images < 0 || options.verify_images < 0) {
    fail(Code::Usage, "{} images to score on and {} to verify on; wanted 0 or more", options.images,
         options.verify_images);
  }
  if (options.noise_images < 1 || options.calibration_images < 1 || options.latency_runs < 1) {
    fail(Code::Usage,
         "{} images to measure noise on, {} to calibrate on, {} latency runs; wanted 1 or more",
         options.noise_images, options.calibration_images, options.latency_runs);
  }
  if (options.cost != "size" && options.cost != "latency" && options.cost != "both") {
    fail(Code::Usage, "the cost is '{}'; wanted 'size', 'latency' or 'both'", options.cost);
  }
  for (const std::string& observer : options.observers) observer_named({.observer = observer});
  methods_named(options.methods, true);
}

std::vector<std::string> searched_observers(const SearchOptions& options) {
  if (!options.observers.empty()) return options.observers;
  std::vector<std::string> names{CalibrationSettings{}.observer};
  for (const Observer& observer : all_observers()) {
    if (observer.name != names[0]) names.emplace_back(observer.name);
  }
  return names;
}

SearchIdentity search_identity(const std::filesystem::path& model,
                               const std::filesystem::path& data, const SearchOptions& options,
                               int64_t images) {
  return {{"network", digest(read_file(model, Code::Model))},
          {"data description", digest(read_file(data, Code::Recipe))},
          {"training images", std::to_string(images)},
          {"target", options.target},
          {"weights", options.weights},
          {"activations", options.activations},
          {"shapes", join(options.shapes)},
          {"seed", std::to_string(options.seed)},
          {"calibration images", std::to_string(options.calibration_images)},
          {"images to score on", std::to_string(options.images)},
          {"images to measure noise on", std::to_string(options.noise_images)}};
}

SearchImages open_search_images(const std::filesystem::path& data, const SearchOptions& options) {
  const DataRecipe recipe = read_data(data);
  SearchImages images{
      .source = {}, .dataset = open_part(recipe.train, "train"), .parts = {}, .held = nullptr};
  images.source = *recipe.train;
  images.parts = split(*images.dataset, recipe.validation, options.seed);
  std::vector<int64_t> held = images.parts.validation;
  if (held.empty()) {
    fail(Code::Data,
         "{}: no training images are held back to score on ('validation' is {} of {} images); set "
         "it so that there are some",
         data.string(), recipe.validation, images.dataset->size());
  }
  if (options.images > 0) {
    held.resize(std::min(held.size(), static_cast<size_t>(options.images)));
  }
  images.held = subset(*images.dataset, std::move(held));
  return images;
}

}  // namespace octet
