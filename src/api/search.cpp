#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include "api/certify.h"
#include "api/outputs.h"
#include "api/search_journal.h"
#include "api/search_setting.h"
#include "api/sensitivity.h"
#include "base/digest.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "eval/score.h"
#include "formats/onnx/onnx_file.h"
#include "octet/octet.h"
#include "quant/target.h"

namespace octet {
namespace {

using Clock = std::chrono::steady_clock;

/// Beginnings of the names of what a search writes, besides trials.
constexpr std::array<std::string_view, 5> kWritten{"best.", "float.onnx.", "curve.svg.",
                                                   "search.json.", "sensitivity."};

/// Thrown where the time for a search is up.
struct TimeUp {};

/// One search: measures assignments, remembers them in the journal, keeps the best file.
class Search final : public Laboratory {
 public:
  Search(Graph graph, const SearchImages& images, const std::filesystem::path& model,
         std::filesystem::path out, const SearchOptions& options, SearchJournal& journal,
         const ProgressSink& progress)
      : images_(images),
        model_(model),
        out_(std::move(out)),
        options_(options),
        target_(target_named(options.target)),
        journal_(journal),
        known_(std::ssize(journal.entries())),
        networks_(graph, {*images.dataset, images.source, images.parts}, settings_of(options)) {
    if (const auto time = search_seconds(options.time)) {
      end_ = Clock::now() +
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*time));
    }
    progress_ = [this, progress](const Progress& now) {
      check_time();
      if (progress) progress(now);
    };
    result_.max_drop = options.max_drop;
    result_.cost = options.cost;
    result_.best_file = out_ / std::format("best{}", target_.extension);
    remove_leftovers();
    measure_float(graph);
  }

  SearchResult run() {
    const SearchSpace space{.observers = searched_observers(options_),
                            .methods = options_.methods,
                            .layers_on_16_bits = !target_.of_16_bits.empty(),
                            .layers_in_float = target_.float_nodes != FloatNodes::None,
                            .activation_bits = target_.activation_bits,
                            .wide = target_.name == "tflite",
                            .latency = options_.cost != "size",
                            .keeps = [this](const SearchTrial& t) { return result_.keeps(t); },
                            .cost = [this](const SearchTrial& t) { return cost(t); }};
    try {
      search_assignments(*this, space);
      result_.finished = true;
    } catch (const TimeUp&) {
      remove_leftovers();
    }
    end_.reset();
    restore_best();
    for (const auto& entry : journal_.entries()) result_.trials.push_back(entry.trial);
    if (const auto best = best_entry()) result_.best = *best;
    write_file(out_ / "curve.svg", result_.svg());
    write_file(out_ / "search.json", result_.json());
    return std::move(result_);
  }

  SearchTrial measure(const Assignment& assignment) override {
    SearchTrial trial{.observer = assignment.observer,
                      .methods = assignment.methods,
                      .activation_bits = assignment.activation_bits,
                      .on_16_bits = assignment.on_16_bits,
                      .in_float = assignment.in_float};
    trial.refused = unless_unfit(assignment, [&] {
      AssignedNodes nodes = networks_.nodes_of(assignment, progress_);
      trial.wide_nodes = std::move(nodes.on_16_bits);
      trial.nodes = std::move(nodes.in_float);
    });
    const std::string key = SearchJournal::key_of(trial);
    if (const auto* entry = journal_.find(key)) {
      if (entry->trial.number <= known_ && seen_.insert(key).second) ++result_.repeated;
      return entry->trial;
    }
    check_time();
    const auto start = Clock::now();
    std::string file;
    if (trial.refused.empty()) {
      trial.refused = unless_unfit(assignment, [&] { file = measure_file(assignment, trial); });
    }
    trial.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const bool best = is_best(trial);
    const SearchTrial& kept = journal_.add(std::move(trial), file).trial;
    if (best) {
      keep_as_best();
    } else {
      remove_leftovers();
    }
    return kept;
  }

  std::vector<RankedLayer> rank(const Assignment& assignment) override {
    const std::string key =
        std::format("{}; {}", assignment.observer, join(assignment.methods, ","));
    if (const auto* known = journal_.ranks_of(key)) return *known;
    check_time();
    MeasuredLayers measured = measure_layers(
        networks_, assignment, {*images_.dataset, images_.parts, options_.noise_images}, progress_);
    const Sensitivity layers{.model = model_.string(),
                             .target = options_.target,
                             .observer = assignment.observer,
                             .images = measured.images,
                             .layers = std::move(measured.worst_first)};
    write_file(out_ / "sensitivity.svg", layers.svg());
    write_file(out_ / "sensitivity.json", layers.json());
    journal_.add_ranks(key, measured.in_order);
    return std::move(measured.in_order);
  }

 private:
  static AssignedSettings settings_of(const SearchOptions& options) {
    return {.deployment = {.targets = {options.target},
                           .weights = options.weights,
                           .activations = options.activations},
            .calibration = {.images = options.calibration_images}};
  }

  /// Why the assignment makes no file that can be used; empty where it does. Errors of the network
  /// as it is, all in integers, are no trial's.
  template <class Work>
  std::string unless_unfit(const Assignment& assignment, Work work) const {
    try {
      work();
      return "";
    } catch (const Error& error) {
      const bool wide = assignment.activation_bits != target_.activation_bits;
      const bool plain = assignment.methods.empty() && assignment.on_16_bits.empty() &&
                         assignment.in_float.empty() && !wide;
      const bool unfit = error.code() == Code::Unsupported || error.code() == Code::Numeric ||
                         error.code() == Code::Runtime || (wide && error.code() == Code::Usage);
      if (plain || !unfit) throw;
      return error.what();
    }
  }

  /// The first trial is made in any case: else there would be nothing to keep.
  void check_time() const {
    if (end_ && !journal_.entries().empty() && Clock::now() >= *end_) throw TimeUp();
  }

  std::filesystem::path trial_file() const {
    return out_ / std::format("trial{}", target_.extension);
  }

  /// What a search that was killed may have left, or a trial that is not the best.
  void remove_leftovers() const {
    for (const auto& file : std::filesystem::directory_iterator(out_)) {
      const std::string name = file.path().filename().string();
      const bool half = name.contains(".partial-") &&
                        std::ranges::any_of(kWritten, [&](std::string_view beginning) {
                          return name.starts_with(beginning);
                        });
      std::error_code ignored;
      if (half || name.starts_with("trial.")) std::filesystem::remove(file.path(), ignored);
    }
  }

  void keep_as_best() const {
    std::error_code error;
    std::filesystem::rename(trial_file(), result_.best_file, error);
    if (error) fail(Code::Io, "cannot write {}: {}", result_.best_file.string(), error.message());
  }

  void measure_float(const Graph& graph) {
    if (const auto& known = journal_.float_network()) {
      result_.float_network = *known;
      return;
    }
    const auto path = out_ / "float.onnx";
    write_file(path, write_onnx(graph));
    State state{.name = "float", .format = "ONNX FP32", .runtime = {}, .path = path.string()};
    const auto session = open_session(path, 0);
    const Score found = score(*session, *images_.held, 100, "evaluate float", progress_);
    state.runtime = session->runtime();
    state.images = found.images;
    state.top1 = found.top1;
    state.top5 = found.top5;
    state.size_bytes = static_cast<int64_t>(std::filesystem::file_size(path));
    state.latency_ms = median_latency(*open_session(path, 1), options_.latency_runs);
    journal_.set_float(state);
    result_.float_network = std::move(state);
  }

  /// Fills in what the assignment's file measures. Returns the file's digest.
  std::string measure_file(const Assignment& assignment, SearchTrial& trial) {
    QuantizedNetwork network = networks_.make(assignment, progress_);
    network.seed = options_.seed;
    const auto path = trial_file();
    const auto bytes = quantized_file(network, path);
    write_file(path, bytes);
    const std::string step = std::format("trial {}", journal_.entries().size() + 1);
    trial.top1 = score(*open_session(path, 0), *images_.held, 100, step, progress_).top1;
    trial.size_bytes = std::ssize(bytes);
    trial.latency_ms = median_latency(*open_session(path, 1), options_.latency_runs);
    if (is_best(trial)) {
      certify_or_remove(network, path,
                        {*images_.dataset, images_.parts, {options_.verify_images, {}}, progress_});
    }
    return digest(bytes);
  }

  double cost(const SearchTrial& trial) const {
    const State& whole = result_.float_network;
    const double size =
        static_cast<double>(trial.size_bytes) / static_cast<double>(whole.size_bytes);
    const double latency = trial.latency_ms / whole.latency_ms;
    return (options_.cost == "latency" ? 1 : size) * (options_.cost == "size" ? 1 : latency);
  }

  /// The cheapest that keeps the accuracy, else the most accurate.
  bool better(const SearchTrial& a, const SearchTrial& b) const {
    if (!a.refused.empty() || !b.refused.empty()) return a.refused.empty() && !b.refused.empty();
    const bool keeps = result_.keeps(a);
    if (keeps != result_.keeps(b)) return keeps;
    const double costs[] = {cost(a), cost(b)};
    if (!keeps && a.top1 != b.top1) return a.top1 > b.top1;
    return costs[0] != costs[1] ? costs[0] < costs[1] : a.top1 > b.top1;
  }

  std::optional<size_t> best_entry() const {
    const auto& entries = journal_.entries();
    std::optional<size_t> best;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (!entries[i].trial.refused.empty()) continue;
      if (!best || better(entries[i].trial, entries[*best].trial)) best = i;
    }
    return best;
  }

  bool is_best(const SearchTrial& trial) const {
    const auto best = best_entry();
    return trial.refused.empty() && (!best || better(trial, journal_.entries()[*best].trial));
  }

  /// The best file is there, whenever the search was killed, and whatever drop was allowed then.
  void restore_best() {
    const auto best = best_entry();
    if (!best) return;
    const SearchJournal::Entry& entry = journal_.entries()[*best];
    const bool there = std::filesystem::exists(result_.best_file);
    if (there && digest(read_file(result_.best_file, Code::Io)) == entry.file) return;
    const SearchTrial& trial = entry.trial;
    QuantizedNetwork network = networks_.make({.observer = trial.observer,
                                               .methods = trial.methods,
                                               .activation_bits = trial.activation_bits,
                                               .on_16_bits = trial.on_16_bits,
                                               .in_float = trial.in_float},
                                              progress_);
    network.seed = options_.seed;
    write_file(result_.best_file, quantized_file(network, result_.best_file));
  }

  const SearchImages& images_;
  const std::filesystem::path& model_;
  std::filesystem::path out_;
  const SearchOptions& options_;
  const TargetProfile& target_;
  SearchJournal& journal_;
  int64_t known_;  ///< trials that the journal held at first
  AssignedNetworks networks_;
  ProgressSink progress_;
  std::optional<Clock::time_point> end_;
  std::set<std::string> seen_;
  SearchResult result_;
};

}  // namespace

SearchResult search(const std::filesystem::path& model, const std::filesystem::path& data,
                    const std::filesystem::path& out, const SearchOptions& options,
                    const ProgressSink& progress) {
  check_search(options);
  const TargetProfile& target = target_named(options.target);
  const std::vector<std::filesystem::path> written{out / "float.onnx",
                                                   out / std::format("best{}", target.extension),
                                                   out / std::format("trial{}", target.extension)};
  refuse_overwriting(model, written);
  const SearchImages images = open_search_images(data, options);
  const Graph graph = read_network(model, parse_input_shapes(options.shapes));
  check_input(graph, *images.dataset);
  make_folder(out);
  SearchJournal journal(out / "journal.jsonl",
                        search_identity(model, data, options, images.dataset->size()));
  return Search(graph, images, model, out, options, journal, progress).run();
}

}  // namespace octet
