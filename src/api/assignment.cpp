#include "api/assignment.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <ranges>
#include <span>

namespace octet {
namespace {

class AssignmentSearch {
 public:
  AssignmentSearch(Laboratory& laboratory, const SearchSpace& space)
      : laboratory_(laboratory), space_(space) {}

  void run() {
    if (in_integers()) return;
    if (space_.wide) laboratory_.measure(widened());
    if (!space_.layers_on_16_bits && !space_.layers_in_float) return;
    layers_ = laboratory_.rank(integers_);
    for (const Form form : {Form::Wide, Form::Float}) {
      if (!(form == Form::Wide ? space_.layers_on_16_bits : space_.layers_in_float)) continue;
      keep_fewest(blocks_by_noise(), form);
      keep_fewest(layers_by_noise(form), form);
    }
    if (!best_) return;
    drop_parts();
    if (space_.latency) fill_gaps();
  }

 private:
  /// What a layer computes in, where that is not 8 bits.
  enum class Form : uint8_t { Wide, Float };
  using Chosen = std::map<size_t, Form>;  ///< layers, in order
  using Part = std::vector<size_t>;       ///< layers
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
    Assignment assignment = integers_;
    for (const auto& [index, form] : chosen) {
      (form == Form::Wide ? assignment.on_16_bits : assignment.in_float)
          .push_back(layers_[index].name);
    }
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

  std::vector<Part> blocks_by_noise() const {
    std::map<size_t, Part> blocks;
    for (size_t i = 0; i < layers_.size(); ++i) blocks[layers_[i].block].push_back(i);
    std::vector<Part> parts;
    for (auto& [unused, members] : blocks) parts.push_back(std::move(members));
    std::ranges::stable_sort(parts, std::greater(), [&](const Part& part) { return noise(part); });
    return parts;
  }

  /// A result of 16 bits is worth something to layers alone that read them.
  std::vector<Part> layers_by_noise(Form form) const {
    std::vector<Part> parts;
    for (size_t i = 0; i < layers_.size(); ++i) parts.push_back({i});
    std::ranges::stable_sort(parts, std::greater(), [&](const Part& part) { return noise(part); });
    if (form == Form::Wide) {
      for (Part& part : parts) part.append_range(layers_[part[0]].readers);
    }
    return parts;
  }

  double noise(const Part& part) const {
    double sum = 0;
    for (const size_t index : part) sum += layers_[index].noise;
    return sum;
  }

  std::optional<Measured> measure_first(const std::vector<Part>& parts, size_t count, Form form) {
    Chosen chosen;
    for (size_t i = 0; i < count; ++i) {
      for (const size_t index : parts[i]) chosen[index] = form;
    }
    return measure(std::move(chosen));
  }

  /// The smallest number of first parts in another form that keeps the accuracy: doubled until it
  /// does, then halved between. All in float is no assignment.
  void keep_fewest(const std::vector<Part>& parts, Form form) {
    size_t too_few = 0;
    size_t enough = 1;
    for (; enough < parts.size(); enough *= 2) {
      const auto measured = measure_first(parts, enough, form);
      accept(measured);
      if (keeps(measured)) break;
      too_few = enough;
    }
    enough = std::min(enough, parts.size());
    while (enough - too_few > 1) {
      const size_t middle = std::midpoint(too_few, enough);
      const auto measured = measure_first(parts, middle, form);
      accept(measured);
      (keeps(measured) ? enough : too_few) = middle;
    }
  }

  /// Takes back what is in another form, least noise first: half of it at once, then smaller parts,
  /// down to single layers. What has to stay so may stay on 16 bits instead of float.
  void drop_parts() {
    for (size_t size = std::max<size_t>(best_->chosen.size() / 2, 1); size > 0; size /= 2) {
      Part order(std::from_range, std::views::keys(best_->chosen));
      std::ranges::stable_sort(order, {}, [&](size_t index) { return layers_[index].noise; });
      for (size_t at = 0; at < order.size(); at += size) {
        drop(std::span(order).subspan(at, std::min(size, order.size() - at)));
      }
    }
  }

  void drop(std::span<const size_t> part) {
    Chosen rest = best_->chosen;
    Chosen narrower = best_->chosen;
    for (const size_t index : part) {
      rest.erase(index);
      narrower[index] = Form::Wide;
    }
    if (!rest.empty() && accept(measure(std::move(rest)))) return;
    if (space_.layers_on_16_bits && narrower != best_->chosen) accept(measure(std::move(narrower)));
  }

  /// Between two layers in one other form one or two on 8 bits may cost more than they save: each
  /// way through them rounds once more.
  void fill_gaps() {
    constexpr size_t kLongest = 2;
    const std::vector ends(std::from_range, best_->chosen);
    for (size_t i = 1; i < ends.size(); ++i) {
      const size_t gap = ends[i].first - ends[i - 1].first - 1;
      if (gap == 0 || gap > kLongest || ends[i].second != ends[i - 1].second) continue;
      Chosen chosen = best_->chosen;
      for (size_t index = ends[i - 1].first + 1; index < ends[i].first; ++index) {
        chosen[index] = ends[i].second;
      }
      accept(measure(std::move(chosen)));
    }
  }

  Laboratory& laboratory_;
  const SearchSpace& space_;
  Assignment integers_;  ///< the most accurate one without float
  std::vector<RankedLayer> layers_;
  std::optional<Measured> best_;  ///< of those with layers in another form
};

}  // namespace

void search_assignments(Laboratory& laboratory, const SearchSpace& space) {
  AssignmentSearch(laboratory, space).run();
}

}  // namespace octet
