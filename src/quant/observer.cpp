#include "quant/observer.h"

#include <array>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

struct Row {
  std::string_view name;
  std::unique_ptr<Observer> (*make)(const CalibrationSettings&);
};
constexpr std::array kObservers{
    Row{"minmax", minmax_observer},
    Row{"percentile", percentile_observer},
};

}  // namespace

std::unique_ptr<Observer> make_observer(const CalibrationSettings& settings) {
  std::vector<std::string> known;
  for (const Row& row : kObservers) {
    if (row.name == settings.observer) return row.make(settings);
    known.emplace_back(row.name);
  }
  fail(Code::Usage, "unknown observer '{}'; known are {}", settings.observer, join(known));
}

}  // namespace octet
