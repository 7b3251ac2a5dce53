#include "api/search_journal.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

using nlohmann::ordered_json;

ordered_json object_of(const SearchIdentity& identity) {
  ordered_json object = ordered_json::object();
  for (const auto& [name, value] : identity) object[name] = value;
  return object;
}

ordered_json line_of(const SearchJournal::Entry& entry) {
  const SearchTrial& trial = entry.trial;
  return {{"trial", trial.number},
          {"observer", trial.observer},
          {"methods", trial.methods},
          {"activation_bits", trial.activation_bits},
          {"on_16_bits", trial.on_16_bits},
          {"in_float", trial.in_float},
          {"wide_nodes", trial.wide_nodes},
          {"nodes", trial.nodes},
          {"top1", trial.top1},
          {"size_bytes", trial.size_bytes},
          {"latency_ms", trial.latency_ms},
          {"seconds", trial.seconds},
          {"refused", trial.refused},
          {"file", entry.file}};
}

SearchJournal::Entry entry_of(const ordered_json& line) {
  SearchTrial trial;
  line.at("trial").get_to(trial.number);
  line.at("observer").get_to(trial.observer);
  line.at("methods").get_to(trial.methods);
  line.at("activation_bits").get_to(trial.activation_bits);
  line.at("on_16_bits").get_to(trial.on_16_bits);
  line.at("in_float").get_to(trial.in_float);
  line.at("wide_nodes").get_to(trial.wide_nodes);
  line.at("nodes").get_to(trial.nodes);
  line.at("top1").get_to(trial.top1);
  line.at("size_bytes").get_to(trial.size_bytes);
  line.at("latency_ms").get_to(trial.latency_ms);
  line.at("seconds").get_to(trial.seconds);
  line.at("refused").get_to(trial.refused);
  return {.trial = std::move(trial), .file = line.at("file").get<std::string>()};
}

ordered_json line_of(const State& state) {
  return {{"float",
           {{"format", state.format},
            {"runtime", state.runtime},
            {"path", state.path},
            {"images", state.images},
            {"top1", state.top1},
            {"top5", state.top5},
            {"size_bytes", state.size_bytes},
            {"latency_ms", state.latency_ms}}}};
}

State state_of(const ordered_json& object) {
  State state{.name = "float", .format = {}, .runtime = {}, .path = {}};
  object.at("format").get_to(state.format);
  object.at("runtime").get_to(state.runtime);
  object.at("path").get_to(state.path);
  object.at("images").get_to(state.images);
  object.at("top1").get_to(state.top1);
  object.at("top5").get_to(state.top5);
  object.at("size_bytes").get_to(state.size_bytes);
  object.at("latency_ms").get_to(state.latency_ms);
  return state;
}

}  // namespace

SearchJournal::SearchJournal(const std::filesystem::path& path, const SearchIdentity& identity)
    : file_(path) {
  if (file_.lines().empty()) {
    file_.add(ordered_json{{"search", object_of(identity)}}.dump());
  } else {
    read(identity);
  }
}

void SearchJournal::read(const SearchIdentity& identity) {
  const auto damaged = [&](size_t number, std::string_view what) {
    fail(Code::Data,
         "{}, line {}: {}; put the line right, or take the folder's journal away to begin anew",
         file_.path().string(), number + 1, what);
  };
  for (size_t i = 0; i < file_.lines().size(); ++i) {
    try {
      if (i > 0) {
        read_line(file_.lines()[i]);
        continue;
      }
      const auto found = ordered_json::parse(file_.lines()[0]).at("search");
      for (const auto& [name, value] : identity) {
        const auto it = found.find(name);
        const std::string held = it == found.end() ? "" : it->get<std::string>();
        if (held == value) continue;
        fail(Code::Usage,
             "{} is of another search: its {} is '{}', here it is '{}'; take another folder, or "
             "what it was made with",
             file_.path().string(), name, held, value);
      }
    } catch (const nlohmann::json::exception&) {
      damaged(i, "it is damaged");
    }
  }
}

void SearchJournal::read_line(const std::string& text) {
  const auto line = ordered_json::parse(text);
  if (line.contains("trial")) {
    entries_.push_back(entry_of(line));
  } else if (line.contains("float")) {
    float_ = state_of(line.at("float"));
  } else {
    auto& [key, ranks] =
        ranks_.emplace_back(line.at("of").get<std::string>(), std::vector<RankedLayer>());
    for (const auto& rank : line.at("ranks")) {
      ranks.push_back({.name = rank.at("name").get<std::string>(),
                       .noise = rank.at("noise").get<double>(),
                       .block = rank.at("block").get<size_t>(),
                       .readers = rank.at("readers").get<std::vector<size_t>>()});
    }
  }
}

std::string SearchJournal::key_of(const SearchTrial& trial) {
  return std::format("{}; {}; {} bits; {}; {}", trial.observer, join(trial.methods, ","),
                     trial.activation_bits, join(trial.wide_nodes, ","), join(trial.nodes, ","));
}

const SearchJournal::Entry* SearchJournal::find(const std::string& key) const {
  const auto it =
      std::ranges::find(entries_, key, [](const Entry& entry) { return key_of(entry.trial); });
  return it == entries_.end() ? nullptr : &*it;
}

const SearchJournal::Entry& SearchJournal::add(SearchTrial trial, std::string file) {
  trial.number = std::ssize(entries_) + 1;
  entries_.push_back({.trial = std::move(trial), .file = std::move(file)});
  file_.add(line_of(entries_.back()).dump());
  return entries_.back();
}

void SearchJournal::set_float(const State& state) {
  float_ = state;
  file_.add(line_of(state).dump());
}

const std::vector<RankedLayer>* SearchJournal::ranks_of(const std::string& key) const {
  for (const auto& [of, ranks] : ranks_) {
    if (of == key) return &ranks;
  }
  return nullptr;
}

void SearchJournal::add_ranks(const std::string& key, const std::vector<RankedLayer>& ranks) {
  ordered_json line{{"ranks", ordered_json::array()}, {"of", key}};
  for (const RankedLayer& rank : ranks) {
    line["ranks"].push_back({{"name", rank.name},
                             {"noise", rank.noise},
                             {"block", rank.block},
                             {"readers", rank.readers}});
  }
  ranks_.emplace_back(key, ranks);
  file_.add(line.dump());
}

}  // namespace octet
