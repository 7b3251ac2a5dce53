#include "formats/onnx/table_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<Origin, std::string_view>, 5> kOrigins{{
    {Origin::Observed, "observed"},
    {Origin::Fixed, "fixed"},
    {Origin::Derived, "derived"},
    {Origin::Imported, "imported"},
    {Origin::Learned, "learned"},
}};
constexpr std::array kIntegerTypes{DType::Int8, DType::UInt8, DType::Int16, DType::UInt16,
                                   DType::Int32};

json to_json(const QuantParams& params) {
  const auto origin =
      std::ranges::find(kOrigins, params.origin, &std::pair<Origin, std::string_view>::first);
  return {
      {"type", name_of(params.type)}, {"axis", params.axis},   {"low", params.low},
      {"high", params.high},          {"scale", params.scale}, {"zero_point", params.zero_point},
      {"origin", origin->second}};
}

template <class Rows, class Projection>
auto row_named(const Rows& rows, const json& word, Projection name) {
  const auto it = std::ranges::find(rows, word.get<std::string>(), name);
  if (it == rows.end()) fail(Code::Model, "its table has the unknown word {}", word.dump());
  return *it;
}

QuantParams params_from(const json& from) {
  return {.type = row_named(kIntegerTypes, from.at("type"),
                            [](DType type) { return std::string(name_of(type)); }),
          .axis = from.at("axis"),
          .low = from.at("low"),
          .high = from.at("high"),
          .scale = from.at("scale"),
          .zero_point = from.at("zero_point"),
          .origin = row_named(kOrigins, from.at("origin"), [](const auto& row) {
                      return std::string(row.second);
                    }).first};
}

class TableReader {
 public:
  explicit TableReader(Graph& graph) : graph_(graph) {
    for (const NodeId id : graph.order()) makers_[graph.node(id).outputs[0]] = id;
  }

  QuantTable read(const json& document) {
    for (const auto& [name, entry] : document.at("values").items()) {
      const ValueId id = value(name);
      table_.set(id, params_from(entry));
      check(id);
    }
    for (const auto& [name, entry] : document.at("lookups").items()) {
      table_.set_lookup(value(name), lookup_from(entry));
    }
    for (const json& name : document.at("fixed")) {
      graph_.value(value(name.get<std::string>())).fixed = true;
    }
    for (const json& name : document.value("in_float", json::array())) {
      table_.set_in_float(maker_of(name));
    }
    return std::move(table_);
  }

 private:
  ValueId value(const std::string& name) const {
    if (const auto id = graph_.find(name)) return *id;
    fail(Code::Model, "its table names the value '{}', which its graph does not have", name);
  }

  /// Each number has a meaning.
  void check(ValueId id) const {
    const Value& value = graph_.value(id);
    const QuantParams& params = *table_.find(id);
    const bool fits =
        params.per_tensor() ? params.scale.size() == 1 : params.axis < std::ssize(value.shape);
    const bool sound = std::ranges::all_of(
        params.scale, [](float scale) { return std::isfinite(scale) && scale > 0; });
    if (fits && sound && params.zero_point.size() == params.scale.size()) return;
    fail(Code::Model,
         "the parameters of '{}' ({}) in its table are {} scales and {} zero points along axis {}; "
         "wanted as many of both, scales above 0, and an axis that is there (-1: one number)",
         value.name, shape_text(value.shape), params.scale.size(), params.zero_point.size(),
         params.axis);
  }

  /// Every integer of the source has an entry on the grid of the result.
  void check(const Lookup& lookup, const std::string& text) const {
    const QuantParams* in = table_.find(lookup.source);
    const QuantParams* out =
        lookup.nodes.empty() ? nullptr : table_.find(graph_.node(lookup.nodes.back()).outputs[0]);
    const bool sound = in && out && std::ssize(lookup.entries) == int64_t{in->high} - in->low + 1 &&
                       std::ranges::all_of(lookup.entries, [&](int32_t q) {
                         return q >= out->low && q <= out->high;
                       });
    if (sound) return;
    fail(Code::Model, "a table in it has no place in its network: {:.60}", text);
  }

  Lookup lookup_from(const json& entry) const {
    Lookup lookup{.source = value(entry.at("source")), .entries = entry.at("entries"), .nodes = {}};
    for (const json& name : entry.at("nodes")) lookup.nodes.push_back(maker_of(name));
    check(lookup, entry.dump());
    return lookup;
  }

  NodeId maker_of(const json& name) const {
    const auto maker = makers_.find(value(name.get<std::string>()));
    if (maker == makers_.end()) {
      fail(Code::Model, "its table names the node that makes {}, but there is none", name.dump());
    }
    return maker->second;
  }

  Graph& graph_;
  QuantTable table_;
  std::map<ValueId, NodeId> makers_;
};

}  // namespace

std::string table_to_json(const Graph& graph, const QuantTable& table) {
  json document{{"values", json::object()}, {"lookups", json::object()}, {"fixed", json::array()}};
  for (const auto& [id, params] : table.values()) {
    document["values"][graph.value(id).name] = to_json(params);
  }
  for (const auto& [id, lookup] : table.lookups()) {
    json nodes = json::array();
    for (const NodeId node : lookup.nodes) {
      nodes.push_back(graph.value(graph.node(node).outputs[0]).name);
    }
    document["lookups"][graph.value(id).name] = {{"source", graph.value(lookup.source).name},
                                                 {"entries", lookup.entries},
                                                 {"nodes", std::move(nodes)}};
  }
  for (const NodeId id : table.in_float()) {
    document["in_float"].push_back(graph.value(graph.node(id).outputs[0]).name);
  }
  std::vector<bool> read(graph.value_count(), false);
  for (const NodeId id : graph.order()) {
    for (const ValueId in : graph.node(id).inputs) {
      if (in == kAbsent || read[static_cast<size_t>(in)]) continue;
      read[static_cast<size_t>(in)] = true;
      if (graph.value(in).fixed) document["fixed"].push_back(graph.value(in).name);
    }
  }
  try {
    return document.dump();
  } catch (const json::exception& error) {
    fail(Code::Unsupported, "a value's name is no text in UTF-8: {}", first_line(error.what()));
  }
}

QuantTable table_from_json(const std::string& text, Graph& graph) {
  try {
    return TableReader(graph).read(json::parse(text));
  } catch (const json::exception& error) {
    fail(Code::Model, "its table cannot be read: {}", first_line(error.what()));
  }
}

}  // namespace octet
