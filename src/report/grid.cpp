#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

#include "octet/octet.h"

namespace octet {
namespace {

/// In the order of their first cells.
std::vector<std::string> distinct(const std::vector<GridCell>& cells,
                                  std::string GridCell::* member) {
  std::vector<std::string> found;
  for (const GridCell& cell : cells) {
    if (!std::ranges::contains(found, cell.*member)) found.push_back(cell.*member);
  }
  return found;
}

std::string cell_text(const GridCell* cell, const GridCell* chosen) {
  if (!cell || !cell->refusal.empty()) return "-";
  const std::string mark = cell == chosen ? "**" : "";
  return std::format("{}{:.2f}{}", mark, cell->test, mark);
}

}  // namespace

const GridCell* GridReport::chosen(const std::string& scheme) const {
  const GridCell* best = nullptr;
  for (const GridCell& cell : cells) {
    if (cell.scheme != scheme || !cell.refusal.empty()) continue;
    if (!best || cell.validation > best->validation) best = &cell;
  }
  return best;
}

std::string GridReport::markdown() const {
  const auto schemes = distinct(cells, &GridCell::scheme);
  std::string out = std::format(
      "Top-1 on {} test images, percent, in {} (float: {:.2f}); {} calibration images, seed {}.\n"
      "Bold: best on {} training images that were held back (float there: {:.2f}).\n\n| {} |",
      test_images, runtime, float_test, calibration_images, seed, validation_images,
      float_validation, model);
  std::string rule = "|---|";
  for (const std::string& scheme : schemes) {
    out += std::format(" {} |", scheme);
    rule += "---|";
  }
  out += "\n" + rule + "\n";
  for (const std::string& way : distinct(cells, &GridCell::way)) {
    out += std::format("| {} |", way);
    for (const std::string& scheme : schemes) {
      const auto it = std::ranges::find_if(
          cells, [&](const GridCell& cell) { return cell.way == way && cell.scheme == scheme; });
      out += std::format(" {} |", cell_text(it == cells.end() ? nullptr : &*it, chosen(scheme)));
    }
    out += "\n";
  }
  std::string refusals;
  for (const GridCell& cell : cells) {
    if (cell.refusal.empty()) continue;
    refusals += std::format("- {}, {}: {}\n", cell.scheme, cell.way, cell.refusal);
  }
  return refusals.empty() ? out : out + "\n" + refusals;
}

std::string GridReport::json() const {
  nlohmann::ordered_json document{{"model", model},
                                  {"runtime", runtime},
                                  {"calibration_images", calibration_images},
                                  {"validation_images", validation_images},
                                  {"test_images", test_images},
                                  {"seed", seed},
                                  {"float_validation", float_validation},
                                  {"float_test", float_test}};
  document["cells"] = nlohmann::ordered_json::array();
  for (const GridCell& cell : cells) {
    nlohmann::ordered_json object{{"scheme", cell.scheme}, {"way", cell.way}};
    if (cell.refusal.empty()) {
      object["validation"] = cell.validation;
      object["test"] = cell.test;
      object["seconds"] = cell.seconds;
    } else {
      object["refusal"] = cell.refusal;
    }
    document["cells"].push_back(std::move(object));
  }
  return document.dump(2) + "\n";
}

}  // namespace octet
