#pragma once

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace octet {

template <class T>
struct Limits {
  T lowest;
  T highest;
};

/// A YAML mapping that is read key by key, each with its type, limits and default; it remembers
/// what it was asked for, so that `finish` can refuse the rest:
///
///     YamlSection root = YamlSection::load("recipe.yaml");
///     YamlSection qat = root.section("qat");
///     settings.epochs = qat.whole("epochs", {0, 10000}, settings.epochs);
///     qat.finish();    // recipe.yaml:12: unknown key 'epoch' in 'qat'; did you mean 'epochs'?
///
/// All errors are Code::Recipe and name the file and the line. A key whose value is required and
/// missing is an error naming it; so is a key that stands there twice.
class YamlSection {
 public:
  /// Reads a file whose top is a mapping; an empty file is an empty one.
  static YamlSection load(const std::filesystem::path& file);

  bool has(const std::string& key) const;
  bool is_section(const std::string& key) const;  ///< there, and a mapping

  std::string text(const std::string& key);
  std::string text(const std::string& key, std::string otherwise);
  /// One of a few words, by its index.
  size_t choice(const std::string& key, std::span<const std::string> words);
  size_t choice(const std::string& key, std::span<const std::string> words, size_t otherwise);
  int64_t whole(const std::string& key, Limits<int64_t> limits);
  int64_t whole(const std::string& key, Limits<int64_t> limits, int64_t otherwise);
  double real(const std::string& key, Limits<double> limits, double otherwise);
  bool flag(const std::string& key, bool otherwise);  ///< true or false

  /// A list of mappings; empty when the key is absent.
  std::vector<YamlSection> sections(const std::string& key);
  /// Lists; empty when the key is absent.
  std::vector<std::string> texts(const std::string& key);
  std::vector<double> reals(const std::string& key, Limits<double> limits);

  /// A path, taken from the folder of this file when it is relative.
  std::filesystem::path path(const std::string& key);

  /// A mapping inside this one; an empty one when the key is absent or has no value.
  YamlSection section(const std::string& key);

  /// Refuses keys that nobody asked for.
  void finish() const;

  /// "recipe.yaml:7: 'qat.epochs' is 'many'; wanted WANTED".
  [[noreturn]] void refuse(const std::string& key, const std::string& wanted) const;
  /// "recipe.yaml:3: 'qat.epochs' is missing; wanted WANTED".
  [[noreturn]] void refuse_missing(const std::string& key, const std::string& wanted) const;
  /// "recipe.yaml:3: MESSAGE", with the line of the key, or of the section when it is absent.
  [[noreturn]] void refuse_at(const std::string& key, const std::string& message) const;

 private:
  struct Entry {
    std::string key;
    int line;
    YAML::Node value;
  };

  YamlSection(std::filesystem::path file, std::string name, int line);
  void take(const YAML::Node& map);
  const Entry* find(const std::string& key) const;
  const Entry* ask(const std::string& key);  ///< finds, and remembers the key as known
  std::string scalar(const std::string& key, const std::string& wanted);
  std::vector<std::string> items(const std::string& key, const std::string& wanted);
  std::string full(const std::string& key) const;
  [[noreturn]] void refuse_unknown(const Entry& entry) const;

  std::filesystem::path file_;
  std::string name_;  ///< "train.augment"; empty at the top
  int line_;
  std::vector<Entry> entries_;
  std::vector<std::string> known_;
};

}  // namespace octet
