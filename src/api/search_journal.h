#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/assignment.h"
#include "base/line_file.h"
#include "octet/octet.h"

namespace octet {

/// What decides what trials measure: "network" -> a digest of its file, "seed" -> "1", ...
using SearchIdentity = std::vector<std::pair<std::string, std::string>>;

/// journal.jsonl of a search: a JSON object per line, each on the disk before the next thing is
/// done. A last line that was cut off is forgotten.
///
///     {"search": {"network": "81ac...", ...}}                  the first line: the identity
///     {"float": {"top1": 91.2, "images": 6000, ...}}
///     {"ranks": [{"name": ..., "noise": ..., "block": ...}], "of": KEY}
///     {"trial": 1, "observer": ..., "top1": ..., "file": DIGEST, ...}   one per trial
class SearchJournal {
 public:
  struct Entry {
    SearchTrial trial;
    std::string file;  ///< digest of the bytes
  };

  /// Begins a journal, or reads the one that is there. Throws Code::Usage naming the first part of
  /// the identity that differs, Code::Data naming a line that is damaged.
  SearchJournal(const std::filesystem::path& path, const SearchIdentity& identity);

  /// What tells trials apart: all that decides the file.
  static std::string key_of(const SearchTrial& trial);

  const std::vector<Entry>& entries() const { return entries_; }
  const Entry* find(const std::string& key) const;
  const Entry& add(SearchTrial trial, std::string file);

  const std::optional<State>& float_network() const { return float_; }
  void set_float(const State& state);

  const std::vector<RankedLayer>* ranks_of(const std::string& key) const;
  void add_ranks(const std::string& key, const std::vector<RankedLayer>& ranks);

 private:
  void read(const SearchIdentity& identity);
  void read_line(const std::string& line);

  LineFile file_;
  std::vector<Entry> entries_;
  std::optional<State> float_;
  std::vector<std::pair<std::string, std::vector<RankedLayer>>> ranks_;
};

}  // namespace octet
