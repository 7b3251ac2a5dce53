#include "quant/observer.h"

#include <array>
#include <vector>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

constexpr std::array kObservers{
    Observer{"minmax", "all values that were seen", minmax_range},
    Observer{"moving-average", "the batches' ends, averaged", moving_average_range},
    Observer{"percentile", "a share of the values", percentile_range},
    Observer{"percentile-99.99", "99.99 % of the values", percentile_9999_range},
    Observer{"percentile-99.999", "99.999 % of the values", percentile_99999_range},
    Observer{"entropy", "least loss of information (KL divergence)", entropy_range},
    Observer{"mse", "least error, to a power that can be chosen", mse_range},
    Observer{"search", "of the ranges of all others the one of the best SQNR", search_range},
};

}  // namespace

std::span<const Observer> all_observers() { return kObservers; }

const Observer& observer_named(const CalibrationSettings& settings) {
  if (!(settings.percentile > 50 && settings.percentile <= 100)) {
    fail(Code::Usage, "the percentile is {}; wanted above 50, at most 100", settings.percentile);
  }
  if (!(settings.norm >= 1 && settings.norm <= 8)) {
    fail(Code::Usage, "the norm is {}; wanted 1 to 8", settings.norm);
  }
  std::vector<std::string> known;
  for (const Observer& row : kObservers) {
    if (row.name == settings.observer) return row;
    known.emplace_back(row.name);
  }
  fail(Code::Usage, "{}", unknown_name("observer", settings.observer, known));
}

}  // namespace octet
