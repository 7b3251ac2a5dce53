#include "api/yaml_section.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <format>

#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"

namespace octet {
namespace {

int line_of(const YAML::Mark& mark) { return std::max(mark.line, 0) + 1; }

std::string shown(const YAML::Node& value) {
  switch (value.Type()) {
    case YAML::NodeType::Scalar: return std::format("'{}'", first_line(value.Scalar()));
    case YAML::NodeType::Sequence: return "a list";
    case YAML::NodeType::Map: return "a mapping";
    default: return "empty";
  }
}

template <class T>
std::optional<T> number(const std::string& text, Limits<T> limits) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(value >= limits.lowest && value <= limits.highest)) return std::nullopt;
  return value;
}

std::string wanted_whole(Limits<int64_t> limits) {
  return std::format("a whole number from {} to {}", limits.lowest, limits.highest);
}

}  // namespace

YamlSection::YamlSection(std::filesystem::path file, std::string name, int line)
    : file_(std::move(file)), name_(std::move(name)), line_(line) {}

YamlSection YamlSection::load(const std::filesystem::path& file) {
  const std::vector<std::byte> bytes = read_file(file, Code::Recipe);
  YamlSection root(file, "", 1);
  try {
    const YAML::Node node =
        YAML::Load(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    if (!node.IsMap() && !node.IsNull()) {
      root.refuse_at("", std::format("the file is {}; wanted a mapping (key: value)", shown(node)));
    }
    root.take(node);
  } catch (const YAML::Exception& error) {
    fail(Code::Recipe, "{}:{}: not YAML: {}", file.string(), line_of(error.mark),
         first_line(error.msg));
  }
  return root;
}

void YamlSection::take(const YAML::Node& map) {
  if (!map.IsMap()) return;
  for (const auto& item : map) {
    const int line = line_of(item.first.Mark());
    if (!item.first.IsScalar()) {
      fail(Code::Recipe, "{}:{}: a key is {}; wanted a word", file_.string(), line,
           shown(item.first));
    }
    const std::string key = item.first.Scalar();
    if (const Entry* twin = find(key)) {
      fail(Code::Recipe, "{}:{}: '{}' is given twice, first in line {}; remove one", file_.string(),
           line, full(key), twin->line);
    }
    entries_.push_back({key, line, item.second});
  }
}

const YamlSection::Entry* YamlSection::find(const std::string& key) const {
  const auto it = std::ranges::find(entries_, key, &Entry::key);
  return it == entries_.end() ? nullptr : &*it;
}

const YamlSection::Entry* YamlSection::ask(const std::string& key) {
  if (!std::ranges::contains(known_, key)) known_.push_back(key);
  return find(key);
}

bool YamlSection::has(const std::string& key) const { return find(key) != nullptr; }

bool YamlSection::is_section(const std::string& key) const {
  const Entry* entry = find(key);
  return entry != nullptr && entry->value.IsMap();
}

std::string YamlSection::scalar(const std::string& key, const std::string& wanted) {
  const Entry* entry = ask(key);
  if (entry == nullptr) refuse_missing(key, wanted);
  if (!entry->value.IsScalar() || entry->value.Scalar().empty()) refuse(key, wanted);
  return entry->value.Scalar();
}

std::string YamlSection::text(const std::string& key) { return scalar(key, "a word"); }

std::string YamlSection::text(const std::string& key, std::string otherwise) {
  return ask(key) == nullptr ? std::move(otherwise) : text(key);
}

size_t YamlSection::choice(const std::string& key, std::span<const std::string> words,
                           size_t otherwise) {
  return ask(key) == nullptr ? otherwise : choice(key, words);
}

size_t YamlSection::choice(const std::string& key, std::span<const std::string> words) {
  const std::string wanted = join(words, " or ");
  const auto it = std::ranges::find(words, scalar(key, wanted));
  if (it == words.end()) refuse(key, wanted);
  return static_cast<size_t>(it - words.begin());
}

int64_t YamlSection::whole(const std::string& key, Limits<int64_t> limits) {
  const std::string wanted = wanted_whole(limits);
  const auto value = number(scalar(key, wanted), limits);
  if (!value) refuse(key, wanted);
  return *value;
}

int64_t YamlSection::whole(const std::string& key, Limits<int64_t> limits, int64_t otherwise) {
  return ask(key) == nullptr ? otherwise : whole(key, limits);
}

double YamlSection::real(const std::string& key, Limits<double> limits, double otherwise) {
  if (ask(key) == nullptr) return otherwise;
  const std::string wanted = std::format("a number from {} to {}", limits.lowest, limits.highest);
  const auto value = number(scalar(key, wanted), limits);
  if (!value) refuse(key, wanted);
  return *value;
}

bool YamlSection::flag(const std::string& key, bool otherwise) {
  static const std::vector<std::string> words = {"false", "true"};
  return choice(key, words, otherwise ? 1 : 0) == 1;
}

std::vector<std::string> YamlSection::items(const std::string& key, const std::string& wanted) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return {};
  if (!entry->value.IsSequence()) refuse(key, wanted);
  std::vector<std::string> items;
  for (const YAML::Node& item : entry->value) {
    if (!item.IsScalar()) {
      refuse_at(key, std::format("'{}' holds {}; wanted {}", full(key), shown(item), wanted));
    }
    items.push_back(item.Scalar());
  }
  return items;
}

std::vector<std::string> YamlSection::texts(const std::string& key) {
  return items(key, "a list of words");
}

std::vector<double> YamlSection::reals(const std::string& key, Limits<double> limits) {
  const std::string wanted =
      std::format("a list of numbers from {} to {}", limits.lowest, limits.highest);
  std::vector<double> values;
  for (const std::string& item : items(key, wanted)) {
    const auto value = number(item, limits);
    if (!value) {
      refuse_at(key,
                std::format("'{}' holds '{}'; wanted {}", full(key), first_line(item), wanted));
    }
    values.push_back(*value);
  }
  return values;
}

std::filesystem::path YamlSection::path(const std::string& key) {
  return file_.parent_path() / scalar(key, "a path");
}

YamlSection YamlSection::section(const std::string& key) {
  const Entry* entry = ask(key);
  YamlSection inner(file_, full(key), entry == nullptr ? line_ : entry->line);
  if (entry == nullptr) return inner;
  if (!entry->value.IsMap() && !entry->value.IsNull()) refuse(key, "a mapping (key: value)");
  inner.take(entry->value);
  return inner;
}

std::vector<YamlSection> YamlSection::sections(const std::string& key) {
  const Entry* entry = ask(key);
  std::vector<YamlSection> inner;
  if (entry == nullptr) return inner;
  if (!entry->value.IsSequence()) refuse(key, "a list of mappings (key: value)");
  for (const YAML::Node& item : entry->value) {
    if (!item.IsMap()) {
      refuse_at(key,
                std::format("'{}' holds {}; wanted mappings (key: value)", full(key), shown(item)));
    }
    inner.push_back(YamlSection(file_, full(key), line_of(item.Mark())));
    inner.back().take(item);
  }
  return inner;
}

void YamlSection::finish() const {
  for (const Entry& entry : entries_) {
    if (!std::ranges::contains(known_, entry.key)) refuse_unknown(entry);
  }
}

void YamlSection::refuse_unknown(const Entry& entry) const {
  const std::string near = nearest(entry.key, known_);
  fail(Code::Recipe, "{}:{}: unknown key '{}'{}; {}", file_.string(), entry.line, entry.key,
       name_.empty() ? "" : std::format(" in '{}'", name_),
       near.empty() ? "known keys: " + join(known_) : std::format("did you mean '{}'?", near));
}

void YamlSection::refuse(const std::string& key, const std::string& wanted) const {
  const Entry* entry = find(key);
  if (entry == nullptr) refuse_missing(key, wanted);
  refuse_at(key, std::format("'{}' is {}; wanted {}", full(key), shown(entry->value), wanted));
}

void YamlSection::refuse_missing(const std::string& key, const std::string& wanted) const {
  for (const Entry& entry : entries_) {  // perhaps it is there, misspelt
    const bool known = std::ranges::contains(known_, entry.key);
    if (!known && nearest(entry.key, known_) == key) refuse_unknown(entry);
  }
  refuse_at(key, std::format("'{}' is missing; wanted {}", full(key), wanted));
}

void YamlSection::refuse_at(const std::string& key, const std::string& message) const {
  const Entry* entry = find(key);
  fail(Code::Recipe, "{}:{}: {}", file_.string(), entry == nullptr ? line_ : entry->line, message);
}

std::string YamlSection::full(const std::string& key) const {
  return name_.empty() ? key : name_ + "." + key;
}

}  // namespace octet
