#include <numeric>

#include "base/fail.h"
#include "data/dataset.h"
#include "data/random.h"

namespace octet {
namespace {

class Subset : public Dataset {
 public:
  Subset(const Dataset& whole, std::vector<int64_t> indices)
      : whole_(whole), indices_(std::move(indices)) {}

  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
  int64_t label(int64_t index) const override { return whole_.label(at(index)); }
  Shape shape() const override { return whole_.shape(); }
  std::string name(int64_t index) const override { return whole_.name(at(index)); }
  float black(int64_t channel) const override { return whole_.black(channel); }
  void image(int64_t index, std::span<float> out) const override { whole_.image(at(index), out); }

 private:
  int64_t at(int64_t index) const { return indices_.at(static_cast<size_t>(index)); }

  const Dataset& whole_;
  std::vector<int64_t> indices_;
};

class Relabelled final : public Subset {
 public:
  Relabelled(const Dataset& whole, std::vector<int64_t> indices, std::vector<int64_t> labels)
      : Subset(whole, std::move(indices)), labels_(std::move(labels)) {}
  int64_t label(int64_t index) const override { return labels_.at(static_cast<size_t>(index)); }

 private:
  std::vector<int64_t> labels_;
};

void check_indices(const Dataset& dataset, const std::vector<int64_t>& indices) {
  for (int64_t index : indices) {
    if (index >= 0 && index < dataset.size()) continue;
    fail(Code::Usage, "subset: there is no image {}; wanted indices from 0 to {}", index,
         dataset.size() - 1);
  }
}

}  // namespace

std::unique_ptr<Dataset> subset(const Dataset& dataset, std::vector<int64_t> indices) {
  check_indices(dataset, indices);
  return std::make_unique<Subset>(dataset, std::move(indices));
}

std::unique_ptr<Dataset> relabelled(const Dataset& dataset, std::vector<int64_t> indices,
                                    std::vector<int64_t> labels) {
  check_indices(dataset, indices);
  if (labels.size() != indices.size()) {
    fail(Code::Usage, "subset: {} labels of {} images; wanted one each", labels.size(),
         indices.size());
  }
  return std::make_unique<Relabelled>(dataset, std::move(indices), std::move(labels));
}

std::vector<int64_t> permutation(int64_t count, uint64_t seed) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::ranges::iota(order, int64_t{0});
  Random random(seed);
  for (size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[random.below(left)]);
  }
  return order;
}

}  // namespace octet
