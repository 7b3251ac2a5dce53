#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "octet/octet.h"

namespace octet {
namespace {

using nlohmann::ordered_json;

ordered_json object_of(const State& state) {
  ordered_json object{{"name", state.name},
                      {"format", state.format},
                      {"runtime", state.runtime},
                      {"path", state.path},
                      {"top1", state.top1},
                      {"top5", state.top5},
                      {"images", state.images},
                      {"size_bytes", state.size_bytes},
                      {"latency_ms", state.latency_ms}};
  if (state.perplexity) object["perplexity"] = *state.perplexity;
  if (state.agreement) object["agreement"] = *state.agreement;
  return object;
}

std::string size_text(int64_t bytes) {
  return bytes == 0 ? "-" : std::format("{:.1f} KB", static_cast<double>(bytes) / 1000);
}

struct Column {
  std::string_view title;
  std::string (*cell)(const State&);
};
const std::vector<Column>& columns() {
  static const std::vector<Column> all{
      {"state", [](const State& s) { return s.name; }},
      {"format", [](const State& s) { return s.format; }},
      {"runtime", [](const State& s) { return s.runtime; }},
      {"top-1", [](const State& s) { return std::format("{:.2f} %", s.top1); }},
      {"top-5", [](const State& s) { return std::format("{:.2f} %", s.top5); }},
      {"size", [](const State& s) { return size_text(s.size_bytes); }},
      {"latency", [](const State& s) { return std::format("{:.3f} ms", s.latency_ms); }},
      {"same as qat",
       [](const State& s) { return s.agreement ? std::format("{:.2f} %", *s.agreement) : "-"; }},
  };
  return all;
}

}  // namespace

std::string to_json(const State& state) { return object_of(state).dump(2) + "\n"; }

void write_text(const std::filesystem::path& path, const std::string& text) {
  write_file(path, text);
}

std::string Report::text() const {
  std::vector<size_t> widths;
  for (const Column& column : columns()) {
    size_t width = column.title.size();
    for (const State& state : states) width = std::max(width, column.cell(state).size());
    widths.push_back(width);
  }
  const auto line = [&](auto cell) {
    std::string out;
    for (size_t i = 0; i < widths.size(); ++i) {
      out += std::format("{:<{}}  ", cell(columns()[i]), widths[i]);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string table = line([](const Column& column) { return std::string(column.title); });
  for (const State& state : states) {
    table += line([&](const Column& column) { return column.cell(state); });
  }
  for (const Certificate& file : certificates) table += "verified " + file.summary() + "\n";
  return table;
}

std::string Report::markdown() const {
  std::string out = std::format("# {}\n\n", name);
  std::string rule = "|";
  out += "|";
  for (const Column& column : columns()) {
    out += std::format(" {} |", column.title);
    rule += "---|";
  }
  out += "\n" + rule + "\n";
  for (const State& state : states) {
    out += "|";
    for (const Column& column : columns()) out += std::format(" {} |", column.cell(state));
    out += "\n";
  }
  if (!states.empty()) {
    out += std::format(
        "\nTop-1 and top-5 over {} test images, each state in its own runtime. Latency: batch 1, "
        "one thread, median. \"same as qat\": share of images with the same prediction.\n",
        states.front().images);
  }
  if (!qat.epochs.empty()) {
    out += "\n## QAT\n\n| epoch | loss | validation top-1 |\n|---|---|---|\n";
    for (const EpochResult& epoch : qat.epochs) {
      out += std::format(
          "| {}{} | {} | {:.2f} % |\n", epoch.number, epoch.number == qat.best ? " (kept)" : "",
          epoch.number == 0 ? "-" : std::format("{:.4f}", epoch.loss), epoch.validation_top1);
    }
  }
  if (!certificates.empty()) out += "\n## Verification\n\n";
  for (const Certificate& file : certificates) out += "- " + file.summary() + "\n";
  out += "\n## Passes\n\n";
  for (const std::string& pass : passes) out += std::format("- {}\n", pass);
  for (const std::string& line : in_float) out += std::format("- {}\n", line);
  for (const std::string& line : notes) out += std::format("- {}\n", line);
  out += std::format("\n## Recipe (seed {})\n\n```yaml\n{}```\n\n## Versions\n\n", seed, recipe);
  for (const auto& [library, version] : versions) {
    out += std::format("- {} {}\n", library, version);
  }
  return out;
}

std::string Report::json() const {
  ordered_json document;
  document["name"] = name;
  document["seed"] = seed;
  for (const State& state : states) {
    document["states"].push_back(object_of(state));
  }
  document["qat"]["best"] = qat.best;
  document["qat"]["epochs"] = ordered_json::array();
  for (const EpochResult& epoch : qat.epochs) {
    document["qat"]["epochs"].push_back({{"number", epoch.number},
                                         {"loss", epoch.loss},
                                         {"validation_top1", epoch.validation_top1}});
  }
  document["certificates"] = ordered_json::array();
  for (const Certificate& file : certificates) {
    document["certificates"].push_back(ordered_json::parse(file.json()));
  }
  document["calibration"] = ordered_json::parse(calibration.json());
  document["passes"] = passes;
  document["in_float"] = in_float;
  document["notes"] = notes;
  document["recipe"] = recipe;
  for (const auto& [library, version] : versions) document["versions"][library] = version;
  return document.dump(2) + "\n";
}

}  // namespace octet
