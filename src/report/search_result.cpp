#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>
#include <set>

#include "octet/octet.h"
#include "report/svg.h"

namespace octet {
namespace {

using nlohmann::ordered_json;

double kilobytes(int64_t bytes) { return static_cast<double>(bytes) / 1000; }
double size_of(const SearchTrial& trial) { return kilobytes(trial.size_bytes); }
double latency_of(const SearchTrial& trial) { return trial.latency_ms; }

using CostOf = double (*)(const SearchTrial&);

bool beats(const SearchTrial& a, const SearchTrial& b, CostOf cost) {
  if (a.top1 < b.top1 || cost(a) > cost(b)) return false;
  return a.top1 > b.top1 || cost(a) < cost(b) || a.number < b.number;
}

/// Trials that none beats, the cheapest first.
std::vector<size_t> front(const std::vector<SearchTrial>& trials, CostOf cost) {
  std::vector<size_t> found;
  for (size_t i = 0; i < trials.size(); ++i) {
    const auto beaten = [&](const SearchTrial& other) {
      return &other != &trials[i] && other.refused.empty() && beats(other, trials[i], cost);
    };
    if (trials[i].refused.empty() && std::ranges::none_of(trials, beaten)) found.push_back(i);
  }
  std::ranges::stable_sort(found, {}, [&](size_t i) { return cost(trials[i]); });
  return found;
}

struct Span {
  double low;
  double high;
  void include(double number) {
    low = std::min(low, number);
    high = std::max(high, number);
  }
  void widen() {
    const double edge = std::max((high - low) * 0.08, 1e-3);
    low -= edge;
    high += edge;
  }
  /// 0 to 1.
  double at(double number) const { return (number - low) / (high - low); }
};

/// Accuracy against one cost.
class Panel {
 public:
  Panel(const SearchResult& result, Svg& picture, double left, CostOf cost, double whole,
        std::string_view axis)
      : result_(result), picture_(picture), left_(left), cost_(cost), whole_(whole), axis_(axis) {
    costs_ = {whole, whole};
    tops_ = {result.float_network.top1 - result.max_drop, result.float_network.top1};
    for (const SearchTrial& trial : result.trials) {
      if (!trial.refused.empty()) continue;
      costs_.include(cost(trial));
      tops_.include(trial.top1);
    }
    costs_.widen();
    tops_.widen();
  }

  void draw() {
    frame();
    const double bar = result_.float_network.top1 - result_.max_drop;
    picture_.line(left_, y(bar), left_ + kWidth, y(bar), "#c33", true);
    picture_.text(left_ + kWidth - 4, y(bar) - 4, "wanted", Svg::Anchor::End, "#c33");
    const auto best = front(result_.trials, cost_);
    for (size_t i = 1; i < best.size(); ++i) {
      const SearchTrial& a = result_.trials[best[i - 1]];
      const SearchTrial& b = result_.trials[best[i]];
      picture_.line(x(cost_(a)), y(a.top1), x(cost_(b)), y(b.top1), "#3c6ea5");
    }
    for (size_t i = 0; i < result_.trials.size(); ++i) {
      const SearchTrial& trial = result_.trials[i];
      if (!trial.refused.empty()) continue;
      const bool kept = result_.best == i;
      const bool on = std::ranges::contains(best, i);
      picture_.dot(x(cost_(trial)), y(trial.top1), kept ? 6 : 4,
                   kept ? "#2a8a3e"
                   : on ? "#3c6ea5"
                        : "#bbb",
                   std::format("{}: {}, top-1 {:.2f} %", trial.number, trial.text(), trial.top1));
    }
    const State& whole = result_.float_network;
    picture_.rectangle(x(whole_) - 4, y(whole.top1) - 4, 8, 8, "#222",
                       std::format("float, top-1 {:.2f} %", whole.top1));
    picture_.text(x(whole_), y(whole.top1) - 8, "float", Svg::Anchor::Middle);
  }

 private:
  static constexpr double kTop = 56;
  static constexpr double kWidth = 300;
  static constexpr double kHeight = 240;

  double x(double cost) const { return left_ + kWidth * costs_.at(cost); }
  double y(double top1) const { return kTop + kHeight * (1 - tops_.at(top1)); }

  void frame() {
    for (int i = 0; i <= 4; ++i) {
      const double top1 = tops_.low + (tops_.high - tops_.low) * i / 4;
      const double cost = costs_.low + (costs_.high - costs_.low) * i / 4;
      picture_.line(left_, y(top1), left_ + kWidth, y(top1), "#e5e5e5");
      picture_.text(left_ - 6, y(top1) + 4, std::format("{:.2f}", top1), Svg::Anchor::End, "#777");
      picture_.text(x(cost), kTop + kHeight + 18, std::format("{:.4g}", cost), Svg::Anchor::Middle,
                    "#777");
    }
    picture_.text(left_ + kWidth / 2, kTop + kHeight + 38, axis_, Svg::Anchor::Middle);
    picture_.text(left_ - 40, kTop - 10, "top-1, %", Svg::Anchor::Start);
  }

  const SearchResult& result_;
  Svg& picture_;
  double left_;
  CostOf cost_;
  double whole_;
  std::string_view axis_;
  Span costs_{};
  Span tops_{};
};

ordered_json object_of(const SearchResult& result, size_t index) {
  const SearchTrial& trial = result.trials[index];
  ordered_json object{{"number", trial.number},
                      {"observer", trial.observer},
                      {"methods", trial.methods},
                      {"activation_bits", trial.activation_bits},
                      {"on_16_bits", trial.on_16_bits},
                      {"in_float", trial.in_float},
                      {"nodes_on_16_bits", trial.wide_nodes},
                      {"nodes_in_float", trial.nodes},
                      {"top1", trial.top1},
                      {"size_bytes", trial.size_bytes},
                      {"latency_ms", trial.latency_ms},
                      {"seconds", trial.seconds},
                      {"keeps", result.keeps(trial)}};
  if (!trial.refused.empty()) object["refused"] = trial.refused;
  return object;
}

}  // namespace

std::string SearchTrial::text() const {
  std::string words = std::format("int{}, {}", activation_bits, observer);
  for (const std::string& method : methods) words += " + " + method;
  const auto count = [&](const std::vector<std::string>& layers, std::string_view what) {
    if (layers.empty()) return;
    words += std::format(", {} layer{} {}", layers.size(), layers.size() == 1 ? "" : "s", what);
  };
  count(on_16_bits, "on 16 bits");
  count(in_float, "in float");
  return words;
}

bool SearchResult::keeps(const SearchTrial& trial) const {
  return trial.refused.empty() && trial.top1 >= float_network.top1 - max_drop - 1e-9;
}

std::vector<size_t> SearchResult::curve() const {
  std::set<size_t> on;
  for (const CostOf counted : {size_of, latency_of}) on.insert_range(front(trials, counted));
  std::vector<size_t> found(on.begin(), on.end());
  std::ranges::stable_sort(found, {}, [&](size_t i) { return trials[i].size_bytes; });
  return found;
}

std::string SearchResult::refusal() const {
  if (best && keeps(trials[*best])) return "";
  if (!best) return "no file could be made at all; see search.json for the reasons";
  const SearchTrial& nearest = trials[*best];
  return std::format(
      "nothing {} keeps top-1 within {:g} points of float's {:.2f} %; the nearest is trial {} ({}) "
      "with {:.2f} %, {:.2f} below float: {}; {}",
      finished ? "that the target can run" : "that there was time for", max_drop,
      float_network.top1, nearest.number, nearest.text(), nearest.top1,
      float_network.top1 - nearest.top1, best_file.string(),
      finished ? "allow a larger drop, or train it (octet run)"
               : "the same command goes on from here");
}

std::string SearchResult::summary() const {
  if (!best) return refusal();
  const SearchTrial& trial = trials[*best];
  std::string words = std::format(
      "{}: trial {} of {}, {}: top-1 {:.2f} % (float {:.2f} %), {:.1f} KB (float {:.1f} KB), "
      "{:.3f} ms (float {:.3f} ms)",
      best_file.string(), trial.number, trials.size(), trial.text(), trial.top1, float_network.top1,
      kilobytes(trial.size_bytes), kilobytes(float_network.size_bytes), trial.latency_ms,
      float_network.latency_ms);
  if (keeps(trial) && trial.in_float.empty()) words += "; all in integers keeps the accuracy";
  if (!finished) words += "; the time is up: the same command goes on from here";
  return words;
}

std::string SearchResult::text() const {
  const auto row = [](std::string_view number, std::string_view what, double top1, double drop,
                      int64_t size, double latency, std::string_view mark) {
    return std::format("{:>5}  {:<44}  {:>7.2f} %  {:>6.2f}  {:>10.1f}  {:>9.3f}  {}\n", number,
                       what, top1, drop, kilobytes(size), latency, mark);
  };
  std::string out = std::format("{:>5}  {:<44}  {:>9}  {:>6}  {:>10}  {:>9}\n", "trial", "what",
                                "top-1", "drop", "KB", "ms");
  for (const size_t i : curve()) {
    const SearchTrial& trial = trials[i];
    out += row(std::to_string(trial.number), trial.text(), trial.top1,
               float_network.top1 - trial.top1, trial.size_bytes, trial.latency_ms,
               best == i      ? "<- the best"
               : keeps(trial) ? "keeps"
                              : "");
  }
  out += row("-", "float", float_network.top1, 0, float_network.size_bytes,
             float_network.latency_ms, "");
  if (best) {
    for (const std::string& name : trials[*best].on_16_bits) out += "on 16 bits: " + name + "\n";
    for (const std::string& name : trials[*best].in_float) out += "in float: " + name + "\n";
  }
  return out + summary() + "\n";
}

std::string SearchResult::json() const {
  ordered_json document{{"best_file", best_file.string()},
                        {"max_drop", max_drop},
                        {"cost", cost},
                        {"finished", finished},
                        {"float", ordered_json::parse(to_json(float_network))},
                        {"curve", ordered_json::array()},
                        {"trials", ordered_json::array()}};
  document["best"] = best ? ordered_json(trials[*best].number) : ordered_json(nullptr);
  for (const size_t i : curve()) document["curve"].push_back(trials[i].number);
  for (size_t i = 0; i < trials.size(); ++i) document["trials"].push_back(object_of(*this, i));
  return document.dump(2) + "\n";
}

std::string SearchResult::svg() const {
  Svg picture(800, 350, "What accuracy costs");
  picture.text(12, 22,
               std::format("What accuracy costs: {} trials on {} held-back images", trials.size(),
                           float_network.images));
  Panel(*this, picture, 70, size_of, kilobytes(float_network.size_bytes), "size, KB").draw();
  Panel(*this, picture, 470, latency_of, float_network.latency_ms,
        "latency, ms (one image, one thread)")
      .draw();
  return picture.finish();
}

}  // namespace octet
