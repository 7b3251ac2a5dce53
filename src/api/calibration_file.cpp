#include "api/calibration_file.h"

#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "base/file.h"

namespace octet {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "octet calibration";
constexpr int64_t kVersion = 1;

std::vector<std::string> names_of(const Group& group, const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId id : group.members) names.push_back(graph.value(id).name);
  return names;
}

Json to_json(const Range& range) { return Json::array({range.low, range.high}); }

Range to_range(const Json& json) {
  return {json.at(0).get<float>(), json.at(1).get<float>(), false};
}

Json to_json(const Sketch& sketch) {
  Json json = Json::object();
  if (sketch.histogram.count() == 0) return json;
  json["moving"] = to_json(sketch.moving);
  json["range"] = to_json(sketch.histogram.range());
  json["exponent"] = sketch.histogram.exponent();
  json["first"] = sketch.histogram.first();
  json["counts"] = sketch.histogram.counts();
  return json;
}

Sketch to_sketch(const Json& json) {
  Sketch sketch;
  if (!json.contains("counts")) return sketch;
  sketch.moving = to_range(json.at("moving"));
  sketch.histogram =
      Histogram(json.at("exponent").get<int>(), json.at("first").get<int64_t>(),
                json.at("counts").get<std::vector<int64_t>>(), to_range(json.at("range")));
  return sketch;
}

Json parse(const std::filesystem::path& path) {
  const auto bytes = read_file(path, Code::Data);
  Json json = Json::parse(reinterpret_cast<const char*>(bytes.data()),
                          reinterpret_cast<const char*>(bytes.data()) + bytes.size(), nullptr,
                          /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("format", "") != kFormat) {
    fail(Code::Data,
         "{} is no calibration, or a damaged one; wanted what 'octet quantize --keep-calibration' "
         "writes",
         path.string());
  }
  const auto version = json.value("version", int64_t{0});
  if (version != kVersion) {
    fail(Code::Data, "{} is a calibration of version {}; wanted version {}: calibrate again",
         path.string(), version, kVersion);
  }
  return json;
}

}  // namespace

void write_calibration(const std::filesystem::path& path, const Graph& graph,
                       const Placement& placement, const Calibration& calibration) {
  Json groups = Json::array();
  for (const auto& [index, sketch] : calibration.sketches) {
    Json entry;
    entry["values"] = names_of(placement.groups.at(index), graph);
    entry.update(to_json(sketch));
    groups.push_back(std::move(entry));
  }
  const Json json{{"format", kFormat},
                  {"version", kVersion},
                  {"images", calibration.images},
                  {"groups", std::move(groups)}};
  const std::string text = json.dump() + "\n";
  write_file(path, std::as_bytes(std::span(text)));
}

Calibration read_calibration(const std::filesystem::path& path, const Graph& graph,
                             const Placement& placement) {
  const Json json = parse(path);
  Calibration calibration;
  std::map<std::vector<std::string>, const Json*> entries;
  try {
    calibration.images = json.at("images").get<int64_t>();
    for (const Json& entry : json.at("groups")) {
      entries[entry.at("values").get<std::vector<std::string>>()] = &entry;
    }
    for (size_t i = 0; i < placement.groups.size(); ++i) {
      const Group& group = placement.groups[i];
      if (!std::holds_alternative<FromData>(group.rule)) continue;
      const auto it = entries.find(names_of(group, graph));
      if (it == entries.end()) {
        fail(Code::Data,
             "{} is a calibration of another network, or for other targets: the value '{}' is not "
             "in it as this network has it",
             path.string(), graph.value(group.members[0]).name);
      }
      Sketch& sketch = calibration.sketches[i];
      sketch = to_sketch(*it->second);
      sketch.constants = constants_of(group, graph);
    }
  } catch (const Json::exception& error) {
    fail(Code::Data, "{} is a damaged calibration: {}", path.string(), error.what());
  }
  return calibration;
}

}  // namespace octet
