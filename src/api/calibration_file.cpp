#include "api/calibration_file.h"

#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "base/file.h"

namespace octet {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "octet calibration";
constexpr int64_t kVersion = 3;

std::vector<std::string> names_of(const Group& group, const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId id : group.members) names.push_back(graph.value(id).name);
  return names;
}

Json to_json(const Range& range) { return Json::array({range.low, range.high}); }

Range to_range(const Json& json, size_t first = 0) {
  return {json.at(first).get<float>(), json.at(first + 1).get<float>(), false};
}

Json to_json(const Sketch& sketch) {
  Json json = Json::object();
  if (sketch.histogram.count() == 0) return json;
  json["moving"] = to_json(sketch.moving);
  json["range"] = to_json(sketch.histogram.range());
  json["course"] = Json::array();
  for (const Milestone& mark : sketch.course) {
    json["course"].push_back(
        {mark.images, mark.all.low, mark.all.high, mark.most.low, mark.most.high});
  }
  json["exponent"] = sketch.histogram.exponent();
  json["first"] = sketch.histogram.first();
  json["counts"] = sketch.histogram.counts();
  return json;
}

Histogram to_histogram(const Json& json, const std::filesystem::path& path) {
  const auto counts = json.at("counts").get<std::vector<int64_t>>();
  const auto exponent = json.at("exponent").get<int>();
  const auto first = json.at("first").get<int64_t>();
  const Range range = to_range(json.at("range"));
  try {
    return {exponent, first, counts, range};
  } catch (const Error& error) {
    fail(error.code(), "{} is a damaged calibration: {}", path.string(), error.what());
  }
}

Sketch to_sketch(const Json& json, const std::filesystem::path& path) {
  Sketch sketch;
  if (!json.contains("counts")) return sketch;
  sketch.moving = to_range(json.at("moving"));
  for (const Json& mark : json.at("course")) {
    sketch.course.push_back({mark.at(0).get<int64_t>(), to_range(mark, 1), to_range(mark, 3)});
  }
  sketch.histogram = to_histogram(json, path);
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

/// What `read` makes of the file; what it does not find is the file's fault.
template <class Read>
auto reading(const std::filesystem::path& path, Read read) {
  const Json json = parse(path);
  try {
    return read(json);
  } catch (const Json::exception& error) {
    fail(Code::Data, "{} is a damaged calibration: {}", path.string(), error.what());
  }
}

using Entries = std::map<std::vector<std::string>, const Json*>;

Entries entries_of(const Json& json) {
  Entries entries;
  for (const Json& entry : json.at("groups")) {
    entries[entry.at("values").get<std::vector<std::string>>()] = &entry;
  }
  return entries;
}

ChannelMeans means_in(const Json& json, const Graph& graph, const std::filesystem::path& path) {
  ChannelMeans means;
  const Json& kept = json.at("means");
  for (const ValueId id : read_by_products(graph)) {
    const auto it = kept.find(graph.value(id).name);
    if (it == kept.end()) continue;  // of a network that was prepared otherwise: said elsewhere
    ChannelMean& mean = means[id];
    mean = {.sums = it->at("sums").get<std::vector<double>>(),
            .count = it->at("count").get<int64_t>()};
    const int64_t channels = graph.value(id).shape.at(1);
    if (mean.count > 0 && std::ssize(mean.sums) == channels) continue;
    fail(Code::Data, "{} is a damaged calibration: '{}' has {} sums of {} numbers, and {} channels",
         path.string(), graph.value(id).name, mean.sums.size(), mean.count, channels);
  }
  return means;
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
  Json means = Json::object();
  for (const auto& [id, mean] : calibration.means) {
    means[graph.value(id).name] = {{"count", mean.count}, {"sums", mean.sums}};
  }
  const Json json{{"format", kFormat},
                  {"version", kVersion},
                  {"images", calibration.images},
                  {"network", calibration.network},
                  {"means", std::move(means)},
                  {"groups", std::move(groups)}};
  const std::string text = json.dump() + "\n";
  write_file(path, std::as_bytes(std::span(text)));
}

KeptCalibration read_kept(const std::filesystem::path& path) {
  return reading(path, [&](const Json& json) {
    KeptCalibration kept{.images = json.at("images").get<int64_t>(), .groups = {}};
    for (const Json& entry : json.at("groups")) {
      kept.groups.push_back(
          {entry.at("values").get<std::vector<std::string>>(), to_sketch(entry, path)});
    }
    return kept;
  });
}

Calibration read_calibration(const std::filesystem::path& path, const Graph& graph,
                             const Placement& placement, const std::string& network) {
  return reading(path, [&](const Json& json) {
    Calibration calibration;
    calibration.network = json.at("network").get<std::string>();
    calibration.images = json.at("images").get<int64_t>();
    const Entries entries = entries_of(json);
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
      sketch = to_sketch(*it->second, path);
      sketch.constants = constants_of(group, graph);
    }
    calibration.means = means_in(json, graph, path);
    if (!network.empty() && network != calibration.network) {
      fail(Code::Data,
           "{} is a calibration of the network {}; this one, whose values have the same names, is "
           "{}: its weights, or methods that change them, are others: calibrate again",
           path.string(), calibration.network, network);
    }
    return calibration;
  });
}

}  // namespace octet
