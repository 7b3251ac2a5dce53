#include <set>

#include "api/certify.h"
#include "api/checkpoint_file.h"
#include "api/foreign.h"
#include "api/stages.h"
#include "api/training.h"
#include "base/fail.h"
#include "base/file.h"
#include "engine/executor.h"
#include "eval/score.h"
#include "eval/simulated_session.h"
#include "formats/onnx/onnx_file.h"
#include "graph/fingerprint.h"
#include "networks/architectures.h"
#include "octet/octet.h"
#include "quant/ratio.h"
#include "quant/target.h"
#include "train/train.h"

namespace octet {
namespace {

TrainResult to_public(const TrainingResult& result) {
  TrainResult out;
  for (const Epoch& epoch : result.epochs) {
    out.epochs.push_back({epoch.number, epoch.loss, epoch.validation});
  }
  out.best = result.best;
  return out;
}

/// The float network of a recipe, read or made; types and shapes known.
Graph float_network(const Recipe& recipe) {
  Graph graph;
  if (recipe.new_network) {
    const NewNetwork& wanted = *recipe.new_network;
    graph = make_network(wanted.arch, {wanted.input, wanted.classes, wanted.width}, recipe.seed);
  } else {
    graph = read_network(recipe.model, recipe.shapes);
    if (reads_tokens(graph)) {
      fail(Code::Unsupported,
           "{}: it reads tokens, and recipes train on images; 'octet quantize' takes it",
           recipe.model.string());
    }
  }
  infer_shapes(graph);
  return graph;
}

/// Measures states one after the other, each over the whole test set, once.
class Measurer {
 public:
  Measurer(const Dataset& test, const EvaluationSettings& settings, const ProgressSink& progress)
      : test_(test), settings_(settings), progress_(progress) {}

  void file(const std::string& name, const std::string& format, const std::filesystem::path& path) {
    State state{.name = name, .format = format, .runtime = {}, .path = path.string()};
    state.size_bytes = static_cast<int64_t>(std::filesystem::file_size(path));
    measure(state, *open_session(path, 0), *open_session(path, 1));
  }

  void simulated(const std::string& name, const QuantizedNetwork& network) {
    State state{.name = name, .format = "simulated", .runtime = {}, .path = {}};
    measure(state, *simulate(network.graph, network.placement, network.table, 0),
            *simulate(network.graph, network.placement, network.table, 1));
  }

  /// The states, each with its agreement with the one named "qat".
  std::vector<State> states() const {
    std::vector<State> all = states_;
    for (size_t reference = 0; reference < all.size(); ++reference) {
      if (states_[reference].name != "qat") continue;
      for (size_t i = 0; i < all.size(); ++i) {
        all[i].agreement = agreement(scores_[i], scores_[reference]);
      }
    }
    return all;
  }

 private:
  void measure(State state, Session& fast, Session& single) {
    Score score = octet::score(fast, test_, settings_.batch, "evaluate " + state.name, progress_);
    state.runtime = fast.runtime();
    state.images = score.images;
    state.top1 = score.top1;
    state.top5 = score.top5;
    state.latency_ms = median_latency(single, settings_.latency_runs);
    states_.push_back(std::move(state));
    scores_.push_back(std::move(score));
  }

  const Dataset& test_;
  const EvaluationSettings& settings_;
  const ProgressSink& progress_;
  std::vector<State> states_;
  std::vector<Score> scores_;
};

std::string text_of(const std::filesystem::path& path) {
  const auto bytes = read_file(path, Code::Recipe);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The whole workflow of a recipe, a step after the other.
class Workflow {
 public:
  Workflow(const std::filesystem::path& recipe, std::filesystem::path out,
           const TrainOptions& options, const ProgressSink& progress)
      : recipe_(read_recipe(recipe)),
        deployment_(deployment_of(recipe_.deployment)),
        out_(std::move(out)),
        dataset_(open_part(recipe_.data.train, "train")),
        test_(open_part(recipe_.data.test, "test")),
        parts_(split(*dataset_, recipe_.data.validation, recipe_.seed)),
        place_{recipe_, *dataset_, parts_, out_, options.resume, progress},
        progress_(progress),
        measurer_(*test_, recipe_.evaluation, progress) {}

  Report run() {
    Graph graph = float_network(recipe_);
    check_input(graph, *dataset_);
    check_input(graph, *test_);
    if (recipe_.qat.epochs > 0 || recipe_.new_network) require_gradients(graph);
    make_folder(out_);
    if (!place_.resume) remove_checkpoints(place_);
    if (recipe_.new_network) train_in(place_, graph);
    write_file(out_ / "float.onnx", write_onnx(graph));
    measurer_.file("float", "ONNX FP32", out_ / "float.onnx");

    const std::string source = fingerprint(graph);
    QuantizedNetwork network = simulated() ? calibrated(std::move(graph))
                                           : quantize_weights(std::move(graph), deployment_);
    if (!simulated()) teacher_ = network.graph;
    network.seed = recipe_.seed;
    if (recipe_.qat.epochs > 0) require_folded_norms(network.graph, recipe_.qat);
    measure_untrained(network);
    const TrainingResult qat = train_in(place_, network, teacher_, source);
    if (simulated()) finish(network);
    const std::vector<Certificate> certificates = write_files(network);
    if (recipe_.qat.control) measure_control();
    Report report{.name = recipe_.name,
                  .recipe = text_of(recipe_.file),
                  .seed = recipe_.seed,
                  .states = measurer_.states(),
                  .qat = to_public(qat),
                  .certificates = certificates,
                  .passes = network.log,
                  .in_float = network.in_float,
                  .notes = notes_on(network, deployment_.targets),
                  .calibration = network.calibration,
                  .versions = versions()};
    write_file(out_ / "report.json", report.json());
    write_file(out_ / "report.md", report.markdown());
    remove_checkpoints(place_);
    return report;
  }

 private:
  /// What has dynamic ranges is not calibrated, nor simulated.
  bool simulated() const { return deployment_.scheme.ranges == Scheme::Ranges::Static; }
  CalibrationImages calibrating() const { return {*dataset_, *recipe_.data.train, parts_}; }

  QuantizedNetwork calibrated(Graph graph) {
    const CalibrationImages images = calibrating();
    ObservedNetwork observed =
        observe_network(std::move(graph), deployment_, images, recipe_.calibration, progress_);
    teacher_ = observed.network.graph;
    return solve_network(std::move(observed), deployment_, recipe_.calibration, &images, progress_);
  }

  void measure_untrained(const QuantizedNetwork& network) {
    if (simulated()) return measurer_.simulated("quantized", network);
    for (const TargetProfile* target : targets_with_files()) {
      const auto path = out_ / std::format("quantized{}", target->extension);
      write_file(path, quantized_file(network, path));
      measurer_.file(std::format("{}-quantized", target->extension.substr(1)),
                     std::string(target->format), path);
    }
  }

  void finish(QuantizedNetwork& network) {
    if (recipe_.qat.scope == QatScope::Weighted) {
      solve_apart(network, deployment_, calibrating(), recipe_.calibration, progress_);
    }
    check_ratios(network.graph, network.table, deployment_.targets);
    describe_ends(network);
    measurer_.simulated("qat", network);
    write_file(out_ / "network.octet", quantized_file(network, "network.octet"));
  }

  std::vector<Certificate> write_files(const QuantizedNetwork& network) {
    const Verification verification{*dataset_, parts_, recipe_.verification, progress_};
    std::vector<Certificate> certificates;
    for (const TargetProfile* target : targets_with_files()) {
      const auto path = out_ / std::format("int8{}", target->extension);
      write_file(path, quantized_file(network, path));
      if (simulated()) {
        auto certificate = certify_or_remove(network, path, verification);
        if (certificate) certificates.push_back(std::move(*certificate));
      }
      measurer_.file(std::format("{}-int8", target->extension.substr(1)),
                     std::string(target->format), path);
    }
    return certificates;
  }

  void measure_control() {
    Graph control = teacher_;
    train_control(place_, control);
    write_file(out_ / "control.onnx", write_onnx(control));
    measurer_.file("control", "ONNX FP32", out_ / "control.onnx");
  }

  /// One for each file that is written: targets may share a file.
  std::vector<const TargetProfile*> targets_with_files() const {
    std::vector<const TargetProfile*> chosen;
    std::set<std::string_view> written;
    for (const TargetProfile* target : deployment_.targets.profiles()) {
      if (written.insert(target->extension).second) chosen.push_back(target);
    }
    return chosen;
  }

  Recipe recipe_;
  Deployment deployment_;
  std::filesystem::path out_;
  std::unique_ptr<Dataset> dataset_;
  std::unique_ptr<Dataset> test_;
  Split parts_;
  TrainingPlace place_;
  const ProgressSink& progress_;
  Measurer measurer_;
  Graph teacher_;  ///< the network in float, as the quantized one was made of it
};

}  // namespace

void make_network(const NewOptions& options, const std::filesystem::path& out) {
  Graph graph = make_network(options.architecture,
                             {parse_image_shape(options.input), options.classes, options.width},
                             options.seed);
  infer_shapes(graph);
  write_file(out, write_onnx(graph));
}

std::vector<std::string> checkpoints_in(const std::filesystem::path& out) {
  std::vector<std::string> lines;
  for (const char* name : {"train.checkpoint", "qat.checkpoint", "control.checkpoint"}) {
    if (!std::filesystem::exists(out / name)) continue;
    lines.push_back(std::format("{}: {}", name, checkpoint_text(out / name)));
  }
  return lines;
}

std::vector<std::pair<std::string, std::string>> architectures() {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Architecture& row : all_architectures()) all.emplace_back(row.name, row.summary);
  return all;
}

TrainResult train(const std::filesystem::path& file, const std::filesystem::path& out,
                  const TrainOptions& options, const ProgressSink& progress) {
  const Recipe recipe = read_recipe(file);
  const auto dataset = open_part(recipe.data.train, "train");
  Graph graph = float_network(recipe);
  check_input(graph, *dataset);
  make_folder(out);  // before hours of work, not after
  const Split parts = split(*dataset, recipe.data.validation, recipe.seed);
  require_gradients(graph);
  const TrainingPlace place{recipe, *dataset, parts, out, options.resume, progress};
  const TrainResult result = to_public(train_in(place, graph));
  write_file(out / "float.onnx", write_onnx(graph));
  remove_checkpoints(place);
  return result;
}

Report run(const std::filesystem::path& recipe, const std::filesystem::path& out,
           const TrainOptions& options, const ProgressSink& progress) {
  return Workflow(recipe, out, options, progress).run();
}

}  // namespace octet
