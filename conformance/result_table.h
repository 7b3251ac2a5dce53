#pragma once

#include <map>
#include <string>
#include <vector>

#include "model_test.h"

namespace octet::conformance {

/// What became of all models, by operator.
class ResultTable {
 public:
  void add(const ModelTest& test, Result result);

  int count(Outcome outcome) const;
  /// A line per operator, then the reason of each model that failed (and with `all`, of those that
  /// are not supported), then the totals.
  std::string text(bool all) const;
  /// The same as a page of docs/.
  std::string markdown() const;

 private:
  struct Entry {
    std::string name;
    Result result;
  };
  using Row = std::vector<Entry>;
  static int count(const Row& row, Outcome outcome);
  /// Models by reason, without the path and the node that a message starts with.
  std::map<std::string, std::vector<std::string>> reasons(Outcome outcome) const;
  std::string totals() const;

  std::map<std::string, Row> rows_;
};

}  // namespace octet::conformance
