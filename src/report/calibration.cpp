#include <algorithm>
#include <cmath>
#include <format>
#include <nlohmann/json.hpp>

#include "octet/octet.h"

namespace octet {
namespace {

using nlohmann::ordered_json;

/// More than this per cent of a value's numbers clipped says that the images differ.
constexpr double kMuchClipped = 1;

std::string percent_text(double percent) {
  return percent == 0 ? "0 %" : percent < 0.001 ? "< 0.001 %" : std::format("{:.3f} %", percent);
}

/// Sums of floats differ by less, whatever the batch.
constexpr double kBatchEffect = 0.1;

/// A value that is always the same, or was never seen, has nothing to settle.
bool settles(const CalibratedValue& value) { return value.settled > 0; }

std::string settling_note(const CalibrationReport& report) {
  const std::string start = std::format("calibration: {} images", report.images);
  if (std::ranges::none_of(report.values, settles)) {
    return start + ", seen at once, which does not tell whether they are enough";
  }
  const auto all = std::ssize(report.values);
  const auto moving = std::ranges::count_if(
      report.values, [&](const CalibratedValue& value) { return value.settled == report.images; });
  if (moving == 0) {
    return std::format("{}; after {} of them all ranges were within 2 % of the last", start,
                       report.enough());
  }
  int64_t enough = 0;  // for the others
  for (const CalibratedValue& value : report.values) {
    if (value.settled < report.images) enough = std::max(enough, value.settled);
  }
  const auto worst = std::ranges::max_element(report.values, {}, &CalibratedValue::moved);
  return std::format(
      "{}; {} of {} ranges were within 2 % of the last {}; that of '{}' moved by {:.1f} % at last",
      start, all - moving, all,
      enough > 0 ? std::format("after {} of them", enough) : "before the end", worst->name,
      worst->moved);
}

std::string clipping_note(const CalibrationReport& report) {
  const auto clipped = [](const CalibratedValue& value) { return value.clipped.value_or(0); };
  const auto worst = std::ranges::max_element(report.values, {}, clipped);
  const std::string start = std::format("of {} held-back images ", report.held_back);
  if (worst == report.values.end() || clipped(*worst) == 0) {
    return start + "no number lies beyond its grid";
  }
  return std::format(
      "{}'{}' has most numbers beyond its grid ({}){}", start, worst->name,
      percent_text(clipped(*worst)),
      clipped(*worst) > kMuchClipped ? ": the calibration images may not be like these" : "");
}

std::string vanishing_note(const CalibrationReport& report) {
  const auto all = std::ranges::count_if(report.values, &CalibratedValue::vanishes);
  if (all == 0) return "";
  const auto first = std::ranges::find_if(report.values, &CalibratedValue::vanishes);
  return std::format(
      "all numbers of '{}'{} are 0 in integers: they are at most {:.3g}, less than half a step of "
      "the finest grid",
      first->name, all == 1 ? "" : std::format(" (and of {} more values)", all - 1),
      std::max(std::abs(first->low), std::abs(first->high)));
}

ordered_json object_of(const CalibratedValue& value) {
  ordered_json object{{"name", value.name},         {"numbers", value.numbers},
                      {"low", value.low},           {"high", value.high},
                      {"most_low", value.most_low}, {"most_high", value.most_high},
                      {"settled", value.settled},   {"moved", value.moved}};
  if (value.grid_low) object["grid"] = {*value.grid_low, *value.grid_high};
  if (value.vanishes) object["vanishes"] = true;
  if (value.clipped) object["clipped"] = *value.clipped;
  return object;
}

}  // namespace

int64_t CalibrationReport::enough() const {
  int64_t most = 0;
  for (const CalibratedValue& value : values) most = std::max(most, value.settled);
  return most;
}

std::vector<std::string> CalibrationReport::notes() const {
  std::vector<std::string> lines = left_out;
  if (values.empty()) return lines;
  lines.push_back(settling_note(*this));
  if (held_back > 0) lines.push_back(clipping_note(*this));
  const std::string vanishing = vanishing_note(*this);
  if (!vanishing.empty()) lines.push_back(vanishing);
  if (batch_effect > kBatchEffect) {
    lines.push_back(std::format(
        "an image's results depend on the others in its batch (by {:.1f} %): calibrated in batches "
        "of {}, which says little about batches of another size",
        batch_effect, batch));
  }
  return lines;
}

std::string CalibrationReport::text() const {
  size_t width = 5;
  for (const CalibratedValue& value : values) width = std::max(width, value.name.size());
  const auto number = [](double value) { return std::format("{:.5g}", value); };
  std::string out =
      std::format("{:<{}}  {:>11}  {:>11}  {:>11}  {:>11}  {:>11}  {:>7}  {:>7}", "value", width,
                  "numbers", "smallest", "largest", "99.99 % from", "to", "settled", "moved");
  out += held_back > 0 ? std::format("  {:>11}\n", "clipped") : "\n";
  for (const CalibratedValue& value : values) {
    out += std::format("{:<{}}  {:>11}  {:>11}  {:>11}  {:>12}  {:>11}  {:>7}  {:>5.1f} %",
                       value.name, width, value.numbers, number(value.low), number(value.high),
                       number(value.most_low), number(value.most_high),
                       settles(value) ? std::to_string(value.settled) : "-", value.moved);
    out += value.clipped ? std::format("  {:>11}\n", percent_text(*value.clipped)) : "\n";
  }
  for (const std::string& note : notes()) out += note + "\n";
  return out;
}

std::string CalibrationReport::json() const {
  ordered_json document{
      {"images", images},       {"enough", enough()}, {"ranges_of", whole ? 100 : 99.99},
      {"held_back", held_back}, {"batch", batch},     {"batch_effect", batch_effect},
      {"notes", notes()}};
  document["values"] = ordered_json::array();
  for (const CalibratedValue& value : values) document["values"].push_back(object_of(value));
  return document.dump(2) + "\n";
}

std::string QuantizeResult::json() const {
  ordered_json document{{"passes", passes}, {"in_float", in_float}, {"notes", notes}};
  document["calibration"] = ordered_json::parse(calibration.json());
  document["certificates"] = ordered_json::array();
  for (const Certificate& file : certificates) {
    document["certificates"].push_back(ordered_json::parse(file.json()));
  }
  return document.dump(2) + "\n";
}

}  // namespace octet
