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

/// What training begins with: a network with its grids, and its float twin.
struct Untrained {
  QuantizedNetwork network;
  Graph teacher;
};

Untrained calibrated(Graph graph, const Deployment& deployment, const CalibrationImages& images,
                     const Recipe& recipe, const ProgressSink& progress) {
  ObservedNetwork observed =
      observe_network(std::move(graph), deployment, images, recipe.calibration, progress);
  Graph teacher = observed.network.graph;
  return {solve_network(std::move(observed), deployment, recipe.calibration, &images, progress),
          std::move(teacher)};
}

Untrained with_integer_weights(Graph graph, const Deployment& deployment) {
  QuantizedNetwork network = quantize_weights(std::move(graph), deployment);
  Graph teacher = network.graph;
  return {std::move(network), std::move(teacher)};
}

/// One for each file that is written: targets may share a file.
std::vector<const TargetProfile*> targets_with_files(const Deployment& deployment) {
  std::vector<const TargetProfile*> chosen;
  std::set<std::string_view> written;
  for (const TargetProfile* target : deployment.targets.profiles()) {
    if (written.insert(target->extension).second) chosen.push_back(target);
  }
  return chosen;
}

std::string text_of(const std::filesystem::path& path) {
  const auto bytes = read_file(path, Code::Recipe);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

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

Report run(const std::filesystem::path& file, const std::filesystem::path& out,
           const TrainOptions& options, const ProgressSink& progress) {
  const Recipe recipe = read_recipe(file);
  const Deployment deployment = deployment_of(recipe.deployment);
  const auto dataset = open_part(recipe.data.train, "train");
  const auto test = open_part(recipe.data.test, "test");
  const Split parts = split(*dataset, recipe.data.validation, recipe.seed);
  Graph graph = float_network(recipe);
  check_input(graph, *dataset);
  check_input(graph, *test);
  if (recipe.qat.epochs > 0 || recipe.new_network) require_gradients(graph);
  make_folder(out);
  const TrainingPlace place{recipe, *dataset, parts, out, options.resume, progress};
  if (!options.resume) remove_checkpoints(place);
  if (recipe.new_network) train_in(place, graph);

  write_file(out / "float.onnx", write_onnx(graph));
  Measurer measurer(*test, recipe.evaluation, progress);
  measurer.file("float", "ONNX FP32", out / "float.onnx");

  const std::string source = fingerprint(graph);
  const CalibrationImages calibrating{*dataset, *recipe.data.train, parts};
  // What has dynamic ranges is not calibrated, nor simulated.
  const bool simulated = deployment.scheme.ranges == Scheme::Ranges::Static;
  Untrained untrained =
      simulated ? calibrated(std::move(graph), deployment, calibrating, recipe, progress)
                : with_integer_weights(std::move(graph), deployment);
  QuantizedNetwork& network = untrained.network;
  const Graph& teacher = untrained.teacher;
  network.seed = recipe.seed;
  if (simulated) {
    measurer.simulated("quantized", network);
  } else {
    for (const TargetProfile* target : targets_with_files(deployment)) {
      const auto path = out / std::format("quantized{}", target->extension);
      write_file(path, quantized_file(network, path));
      measurer.file(std::format("{}-quantized", target->extension.substr(1)),
                    std::string(target->format), path);
    }
  }

  const TrainingResult qat = train_in(place, network, teacher, source);
  if (simulated) {
    if (recipe.qat.scope == QatScope::Weighted) {
      solve_apart(network, deployment, calibrating, recipe.calibration, progress);
    }
    check_ratios(network.graph, network.table, deployment.targets);
    describe_ends(network);
    measurer.simulated("qat", network);
    write_file(out / "network.octet", quantized_file(network, "network.octet"));
  }

  const Verification verification{*dataset, parts, recipe.verification, progress};
  std::vector<Certificate> certificates;
  for (const TargetProfile* target : targets_with_files(deployment)) {
    const auto path = out / std::format("int8{}", target->extension);
    write_file(path, quantized_file(network, path));
    if (simulated) {
      auto certificate = certify_or_remove(network, path, verification);
      if (certificate) certificates.push_back(std::move(*certificate));
    }
    measurer.file(std::format("{}-int8", target->extension.substr(1)), std::string(target->format),
                  path);
  }

  if (recipe.qat.control) {
    Graph control = teacher;
    train_control(place, control);
    write_file(out / "control.onnx", write_onnx(control));
    measurer.file("control", "ONNX FP32", out / "control.onnx");
  }

  Report report{.name = recipe.name,
                .recipe = text_of(recipe.file),
                .seed = recipe.seed,
                .states = measurer.states(),
                .qat = to_public(qat),
                .certificates = std::move(certificates),
                .passes = network.log,
                .in_float = network.in_float,
                .notes = notes_on(network, deployment.targets),
                .calibration = network.calibration,
                .versions = versions()};
  write_file(out / "report.json", report.json());
  write_file(out / "report.md", report.markdown());
  remove_checkpoints(place);
  return report;
}

}  // namespace octet
