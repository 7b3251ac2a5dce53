#include <algorithm>
#include <cmath>
#include <format>
#include <nlohmann/json.hpp>

#include "octet/octet.h"

namespace octet {
namespace {

using nlohmann::ordered_json;

std::string sqnr_text(double sqnr) {
  return std::isfinite(sqnr) ? std::format("{:.2f} dB", sqnr) : "exact";
}

std::string steps_text(int64_t steps) {
  return std::format("{} step{}", steps, steps == 1 ? "" : "s");
}

double share(const CheckedTensor& tensor) {
  return tensor.elements == 0
             ? 0
             : 100.0 * static_cast<double>(tensor.differing) / static_cast<double>(tensor.elements);
}

std::string parting_text(const CheckedTensor& tensor, const std::string& runtime) {
  return std::format(
      "'{}' is the first value where they part: {} computes {}, the simulation {}; "
      "{:.3f} % of its elements differ, by up to {}",
      tensor.name, runtime, tensor.deployed, tensor.simulated, share(tensor),
      steps_text(tensor.largest));
}

}  // namespace

const CheckedTensor* Certificate::first_parting() const {
  const auto it = std::ranges::find_if(
      tensors, [](const CheckedTensor& tensor) { return tensor.differing > 0; });
  return it == tensors.end() ? nullptr : &*it;
}

int64_t Certificate::largest() const {
  int64_t most = 0;
  for (const CheckedTensor& tensor : tensors) most = std::max(most, tensor.largest);
  return most;
}

std::string Certificate::refusal() const {
  const auto broken = std::ranges::find_if(tensors, [&](const CheckedTensor& tensor) {
    return tensor.largest > limit.value_or(0) && (limit || !tensor.after_float);
  });
  if (broken == tensors.end()) return "";
  const CheckedTensor& first = *first_parting();
  const std::string other = &first == &*broken ? ""
                                               : std::format(" ('{}' by up to {})", broken->name,
                                                             steps_text(broken->largest));
  return std::format(
      "{} is not what its simulation computes: {}{}; wanted at most {}: look at the node that "
      "makes "
      "it, or allow more (--limit, --verify-limit, in a recipe 'verification: {{limit: N}}')",
      file, parting_text(first, runtime), other, steps_text(limit.value_or(0)));
}

std::string Certificate::summary() const {
  const CheckedTensor* parting = first_parting();
  std::string found =
      parting == nullptr
          ? std::format("all integers of {} values equal the simulation's", tensors.size())
          : parting_text(*parting, runtime);
  const bool rounded = parting && parting->after_float && refusal().empty();
  if (rounded) found += " (behind a node in float, where sums may be rounded otherwise)";
  return std::format(
      "{} in {}, {} images: {}; same prediction as simulated {:.2f} %, as in float {:.2f} %", file,
      runtime, images, found, same_as_simulated, same_as_float);
}

std::string Certificate::text() const {
  size_t width = 5;
  for (const CheckedTensor& tensor : tensors) width = std::max(width, tensor.name.size());
  std::string out = std::format("{:<{}}  {:>10}  {:>9}  {:>9}  {:>10}\n", "value", width,
                                "elements", "differing", "largest", "SQNR");
  for (const CheckedTensor& tensor : tensors) {
    out += std::format("{:<{}}  {:>10}  {:>7.3f} %  {:>9}  {:>10}\n", tensor.name, width,
                       tensor.elements, share(tensor), steps_text(tensor.largest),
                       sqnr_text(tensor.sqnr));
  }
  for (const std::string& line : in_float) out += std::format("note: {}\n", line);
  return out + summary() + "\n";
}

std::string Certificate::json() const {
  ordered_json document{{"file", file},
                        {"runtime", runtime},
                        {"images", images},
                        {"largest", largest()},
                        {"same_as_simulated", same_as_simulated},
                        {"same_as_float", same_as_float},
                        {"in_float", in_float}};
  const CheckedTensor* parting = first_parting();
  document["first_parting"] = parting ? ordered_json(parting->name) : ordered_json(nullptr);
  document["limit"] = limit ? ordered_json(*limit) : ordered_json(nullptr);
  document["passed"] = refusal().empty();
  document["tensors"] = ordered_json::array();
  for (const CheckedTensor& tensor : tensors) {
    document["tensors"].push_back({{"name", tensor.name},
                                   {"elements", tensor.elements},
                                   {"differing", tensor.differing},
                                   {"largest", tensor.largest},
                                   {"sqnr", tensor.sqnr},  // null where it is infinite
                                   {"after_float", tensor.after_float}});
    if (tensor.differing == 0) continue;
    document["tensors"].back()["deployed"] = tensor.deployed;
    document["tensors"].back()["simulated"] = tensor.simulated;
  }
  return document.dump(2) + "\n";
}

}  // namespace octet
