#include "result_table.h"

#include <algorithm>
#include <format>
#include <numeric>

namespace octet::conformance {
namespace {

std::string join_names(const std::vector<std::string>& names) {
  constexpr size_t kMost = 4;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kMost) text += std::format(" and {} more", names.size() - kMost);
  return text;
}

/// A bar would end the cell of a table.
std::string escaped(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

/// "path: node "n" (Op): reason" says the reason only.
std::string bare(std::string reason) {
  if (const size_t path = reason.find(".onnx: "); path != std::string::npos) {
    reason.erase(0, path + 7);
  }
  if (reason.starts_with('/')) reason.erase(0, reason.find(".onnx ") + 6);
  if (reason.starts_with("node \"")) {
    reason.erase(0, reason.find("\" (", 6) + 2);  // names differ from model to model
  }
  if (const size_t hint = reason.find("; 'octet inspect'"); hint != std::string::npos) {
    reason.erase(hint);
  }
  return reason;
}

}  // namespace

void ResultTable::add(const ModelTest& test, Result result) {
  rows_[test.group].push_back({test.name, std::move(result)});
}

int ResultTable::count(const Row& row, Outcome outcome) {
  return static_cast<int>(
      std::ranges::count(row, outcome, [](const Entry& entry) { return entry.result.outcome; }));
}

int ResultTable::count(Outcome outcome) const {
  return std::accumulate(rows_.begin(), rows_.end(), 0, [&](int sum, const auto& row) {
    return sum + count(row.second, outcome);
  });
}

std::map<std::string, std::vector<std::string>> ResultTable::reasons(Outcome outcome) const {
  std::map<std::string, std::vector<std::string>> found;
  for (const auto& [group, row] : rows_) {
    for (const Entry& entry : row) {
      if (entry.result.outcome == outcome) found[bare(entry.result.reason)].push_back(entry.name);
    }
  }
  return found;
}

std::string ResultTable::totals() const {
  return std::format("{} passed, {} failed, {} not supported", count(Outcome::Passed),
                     count(Outcome::Failed), count(Outcome::Unsupported));
}

std::string ResultTable::text(bool all) const {
  std::string text =
      std::format("{:<40} {:>6} {:>6} {:>13}\n", "operator", "passed", "failed", "not supported");
  size_t models = 0;
  for (const auto& [group, row] : rows_) {
    models += row.size();
    text += std::format("{:<40} {:>6} {:>6} {:>13}\n", group, count(row, Outcome::Passed),
                        count(row, Outcome::Failed), count(row, Outcome::Unsupported));
  }
  for (const auto& [group, row] : rows_) {
    for (const auto& [name, result] : row) {
      if (result.outcome == Outcome::Passed) continue;
      if (result.outcome == Outcome::Unsupported && !all) continue;
      const bool failed = result.outcome == Outcome::Failed;
      text +=
          std::format("{} {}: {}\n", failed ? "failed:" : "not supported:", name, result.reason);
    }
  }
  return text + std::format("{} models\n{}\n", models, totals());
}

std::string ResultTable::markdown() const {
  std::string text =
      "# Conformance\n\n"
      "ONNX's own test models, run by octet's executor in float: all outputs of each model are\n"
      "compared with those that ONNX stores, with the tolerances of ONNX's runner (relative 1e-3,\n"
      "absolute 1e-7). Made by `./dev conformance --markdown docs/conformance.md`.\n\n"
      "**" +
      totals() +
      ".**\n\n"
      "An operator counts its own models and those of its body as ONNX defines it (`_expanded`);\n"
      "models of several operators stand under their own names.\n\n"
      "| operator | passed | failed | not supported |\n|---|---:|---:|---:|\n";
  for (const auto& [group, row] : rows_) {
    text += std::format("| {} | {} | {} | {} |\n", group, count(row, Outcome::Passed),
                        count(row, Outcome::Failed), count(row, Outcome::Unsupported));
  }
  for (const auto& [outcome, title] :
       {std::pair(Outcome::Failed, "Failed"), std::pair(Outcome::Unsupported, "Not supported")}) {
    const auto found = reasons(outcome);
    if (found.empty()) continue;
    text += std::format("\n## {}\n\n| reason | models |\n|---|---|\n", title);
    for (const auto& [reason, names] : found) {
      text += std::format("| {} | {} |\n", escaped(reason), join_names(names));
    }
  }
  return text;
}

}  // namespace octet::conformance
