#include "api/assignment.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

namespace octet {
namespace {

class AssignmentSearch {
 public:
  AssignmentSearch(Laboratory& laboratory, const SearchSpace& space)
      : laboratory_(laboratory), space_(space) {}

  void run() {
    if (in_integers()) return;
    if (space_.wide) laboratory_.measure(widened());
    if (!space_.layers_in_float) return;
    layers_ = laboratory_.rank(integers_);
    keep_fewest(blocks_by_noise());
    keep_fewest(layers_by_noise());
    if (!best_) return;
    drop_parts();
    if (space_.latency) fill_gaps();
  }

 private:
  using Chosen = std::vector<size_t>;  ///< layers in float, in order
  struct Measured {
    SearchTrial trial;
    Chosen chosen;
  };

  /// All in integers, whatever helps; whether that keeps the accuracy.
  bool in_integers() {
    std::optional<SearchTrial> best;
    const auto improves = [&](const Assignment& assignment) {
      SearchTrial trial = laboratory_.measure(assignment);
      if (!trial.refused.empty() || (best && trial.top1 <= best->top1)) return false;
      best = std::move(trial);
      integers_ = assignment;
      return true;
    };
    integers_ = {.observer = space_.observers.at(0), .activation_bits = space_.activation_bits};
    for (const std::string& observer : space_.observers) {
      const Assignment assignment{.observer = observer, .activation_bits = space_.activation_bits};
      if (improves(assignment) && space_.keeps(*best)) return true;
    }
    for (const std::string& method : space_.methods) {
      Assignment assignment = integers_;
      assignment.methods.push_back(method);
      if (improves(assignment) && space_.keeps(*best)) return true;
    }
    return false;
  }

  Assignment widened() const {
    Assignment assignment = integers_;
    assignment.activation_bits = 16;
    return assignment;
  }

  std::optional<Measured> measure(Chosen chosen) {
    std::ranges::sort(chosen);
    Assignment assignment = integers_;
    for (const size_t index : chosen) assignment.in_float.push_back(layers_[index].name);
    SearchTrial trial = laboratory_.measure(assignment);
    if (!trial.refused.empty()) return std::nullopt;
    return Measured{std::move(trial), std::move(chosen)};
  }

  bool keeps(const std::optional<Measured>& measured) const {
    return measured && space_.keeps(measured->trial);
  }

  /// Whether it became the best so far.
  bool accept(const std::optional<Measured>& measured) {
    if (!keeps(measured)) return false;
    if (best_ && space_.cost(measured->trial) >= space_.cost(best_->trial)) return false;
    best_ = measured;
    return true;
  }

  std::vector<Chosen> blocks_by_noise() const {
    std::map<size_t, Chosen> blocks;
    for (size_t i = 0; i < layers_.size(); ++i) blocks[layers_[i].block].push_back(i);
    std::vector<Chosen> parts;
    for (auto& [unused, members] : blocks) parts.push_back(std::move(members));
    std::ranges::stable_sort(parts, std::greater(),
                             [&](const Chosen& part) { return noise(part); });
    return parts;
  }

  std::vector<Chosen> layers_by_noise() const {
    std::vector<Chosen> parts;
    for (size_t i = 0; i < layers_.size(); ++i) parts.push_back({i});
    std::ranges::stable_sort(parts, std::greater(),
                             [&](const Chosen& part) { return noise(part); });
    return parts;
  }

  double noise(const Chosen& part) const {
    double sum = 0;
    for (const size_t index : part) sum += layers_[index].noise;
    return sum;
  }

  std::optional<Measured> measure_first(const std::vector<Chosen>& parts, size_t count) {
    Chosen chosen;
    for (size_t i = 0; i < count; ++i)
      chosen.insert(chosen.end(), parts[i].begin(), parts[i].end());
    return measure(std::move(chosen));
  }

  /// The smallest number of first parts in float that keeps the accuracy: doubled until it does,
  /// then halved between. All in float is no assignment.
  void keep_fewest(const std::vector<Chosen>& parts) {
    size_t too_few = 0;
    size_t enough = 1;
    for (; enough < parts.size(); enough *= 2) {
      const auto measured = measure_first(parts, enough);
      accept(measured);
      if (keeps(measured)) break;
      too_few = enough;
    }
    enough = std::min(enough, parts.size());
    while (enough - too_few > 1) {
      const size_t middle = std::midpoint(too_few, enough);
      const auto measured = measure_first(parts, middle);
      accept(measured);
      (keeps(measured) ? enough : too_few) = middle;
    }
  }

  /// Takes back what is in float, least noise first: half of it at once, then smaller parts, down
  /// to single layers.
  void drop_parts() {
    for (size_t size = best_->chosen.size() / 2; size > 0; size /= 2) {
      Chosen order = best_->chosen;
      std::ranges::stable_sort(order, {}, [&](size_t index) { return layers_[index].noise; });
      for (size_t at = 0; at < order.size(); at += size) {
        const std::span part = std::span(order).subspan(at, std::min(size, order.size() - at));
        Chosen rest = best_->chosen;
        std::erase_if(rest, [&](size_t index) { return std::ranges::contains(part, index); });
        if (!rest.empty()) accept(measure(std::move(rest)));
      }
    }
  }

  /// Between two layers in float one or two in integers may cost more than they save: each way
  /// through them rounds once more.
  void fill_gaps() {
    constexpr size_t kLongest = 2;
    const Chosen ends = best_->chosen;
    for (size_t i = 1; i < ends.size(); ++i) {
      const size_t gap = ends[i] - ends[i - 1] - 1;
      if (gap == 0 || gap > kLongest) continue;
      Chosen chosen = best_->chosen;
      for (size_t index = ends[i - 1] + 1; index < ends[i]; ++index) chosen.push_back(index);
      accept(measure(std::move(chosen)));
    }
  }

  Laboratory& laboratory_;
  const SearchSpace& space_;
  Assignment integers_;  ///< the most accurate one without float
  std::vector<RankedLayer> layers_;
  std::optional<Measured> best_;  ///< of those with layers in float
};

}  // namespace

void search_assignments(Laboratory& laboratory, const SearchSpace& space) {
  AssignmentSearch(laboratory, space).run();
}

}  // namespace octet
