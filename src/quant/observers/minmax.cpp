#include "quant/observer.h"

namespace octet {
namespace {

/// Smallest and largest value seen: nothing is clipped, outliers set the scale.
class MinMax final : public Observer {
 public:
  void observe(std::span<const float> values) override { range_.include(range_of(values)); }
  Range range() const override { return range_; }

 private:
  Range range_;
};

}  // namespace

std::unique_ptr<Observer> minmax_observer(const CalibrationSettings& /*settings*/) {
  return std::make_unique<MinMax>();
}

}  // namespace octet
