#include "base/fail.h"
#include "quant/observer.h"

namespace octet {
namespace {

/// The range that keeps the given share of all values, half of the rest cut on either side
/// (H. Wu et al., "Integer Quantization for Deep Learning Inference", 2020, section 3.2).
class Percentile final : public Observer {
 public:
  explicit Percentile(double percent) : cut_((1 - percent / 100) / 2) {}
  void observe(std::span<const float> values) override { histogram_.add(values); }
  Range range() const override {
    if (histogram_.count() == 0) return {};
    return {histogram_.quantile(cut_), histogram_.quantile(1 - cut_), false};
  }

 private:
  double cut_;
  Histogram histogram_;
};

}  // namespace

std::unique_ptr<Observer> percentile_observer(const CalibrationSettings& settings) {
  if (!(settings.percentile > 50 && settings.percentile <= 100)) {
    fail(Code::Usage, "the percentile is {}; wanted above 50, at most 100", settings.percentile);
  }
  return std::make_unique<Percentile>(settings.percentile);
}

}  // namespace octet
