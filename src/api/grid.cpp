#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "api/methods.h"
#include "api/stages.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "eval/score.h"
#include "octet/octet.h"
#include "quant/observer.h"

namespace octet {
namespace {

/// Ranges by an observer, refined by methods.
struct Way {
  std::string name;
  std::string observer;
  std::vector<std::string> methods;
  std::vector<std::string> preparing;  ///< those of the methods that change the float network
};

/// "percentile+equalize+adaround".
Way parse_way(const std::string& text) {
  std::vector<std::string> words = split_text(text, '+');
  if (words.empty()) fail(Code::Usage, "a way is empty; wanted an observer, as in 'mse'");
  Way way{.name = text, .observer = words[0], .methods = {}, .preparing = {}};
  observer_named({.observer = way.observer});
  way.methods.assign(words.begin() + 1, words.end());
  for (const Method* method : methods_named(way.methods, true)) {
    if (method->prepare) way.preparing.emplace_back(method->name);
  }
  return way;
}

std::vector<Way> ways_of(std::vector<std::string> texts) {
  if (texts.empty()) {
    for (const Observer& observer : all_observers()) texts.emplace_back(observer.name);
    for (const auto& [name, summary] : methods()) {
      texts.push_back(std::format("{}+{}", QuantizeOptions().observer, name));
    }
  }
  std::vector<Way> ways;
  for (const std::string& text : texts) ways.push_back(parse_way(text));
  return ways;
}

struct GridScheme {
  std::string_view name;
  std::string_view weights;
  std::string_view activations;
};

std::span<const GridScheme> known_schemes() {
  static constexpr std::array kSchemes{
      GridScheme{"per-channel asymmetric", "per-channel", "asymmetric"},
      GridScheme{"per-channel symmetric", "per-channel", "symmetric"},
      GridScheme{"per-tensor asymmetric", "per-tensor", "asymmetric"},
      GridScheme{"per-tensor symmetric", "per-tensor", "symmetric"},
  };
  return kSchemes;
}

Deployment deployment_named(const std::string& name, const std::string& format) {
  const auto known = known_schemes();
  const auto it = std::ranges::find(known, name, &GridScheme::name);
  if (it == known.end()) {
    fail(Code::Usage, "the scheme is '{}'; wanted one of '{}'", name, join(grid_schemes(), "', '"));
  }
  return deployment_of({.targets = {format == "onnx" ? "onnxruntime-cpu" : "tflite"},
                        .weights = std::string(it->weights),
                        .activations = std::string(it->activations)});
}

/// A file that goes when the work is done, or fails.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& format)
      : path_(std::filesystem::temp_directory_path() /
              std::format("octet-grid-{}.{}", getpid(), format)) {}
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class GridRun {
 public:
  GridRun(const std::filesystem::path& model, const std::filesystem::path& data,
          const GridOptions& options, const ProgressSink& progress)
      : options_(options),
        progress_(progress),
        recipe_(read_data(data)),
        train_(open_part(recipe_.train, "train")),
        whole_test_(open_part(recipe_.test, "test")),
        parts_(split(*train_, recipe_.validation, options.seed)),
        images_{*train_, *recipe_.train, parts_},
        file_(options.format) {
    std::vector<int64_t> chosen = permutation(whole_test_->size(), options.seed);
    if (options.test_images != 0) {
      chosen.resize(std::min(chosen.size(), static_cast<size_t>(options.test_images)));
    }
    test_ = subset(*whole_test_, std::move(chosen));
    if (parts_.validation.empty()) {
      fail(Code::Data,
           "{}: no training image is held back to choose by; wanted a 'validation' above 0",
           data.string());
    }
    held_back_ = subset(*train_, parts_.validation);
    graph_ = read_network(model, {});
    check_input(graph_, *train_);
    grid_ = {.model = model.stem().string(),
             .runtime = {},
             .calibration_images =
                 std::min(options.calibration_images, static_cast<int64_t>(parts_.train.size())),
             .validation_images = held_back_->size(),
             .test_images = test_->size(),
             .seed = options.seed,
             .cells = {}};
    const auto session = open_session(model, 0);
    grid_.float_validation = top1(*session, *held_back_, "float, held back");
    grid_.float_test = top1(*session, *test_, "float, test");
  }

  GridReport run() {
    const std::vector<Way> ways = ways_of(options_.ways);
    for (const std::string& scheme : options_.schemes.empty() ? grid_schemes() : options_.schemes) {
      const Deployment deployment = deployment_named(scheme, options_.format);
      observed_.reset();
      for (const Way& way : ways) measure(scheme, deployment, way);
    }
    return std::move(grid_);
  }

 private:
  double top1(Session& session, const Dataset& images, const std::string& what) {
    return score(session, images, 100, what, progress_).top1;
  }

  /// One look serves neighbouring ways that prepare the network alike.
  const ObservedNetwork& look(const Deployment& deployment, const Way& way) {
    if (observed_ && preparing_ == way.preparing) return *observed_;
    CalibrationSettings settings = settings_of(way);
    settings.methods = way.preparing;
    observed_.reset();  // one at a time: a network and its sketches
    observed_ = observe_network(graph_, deployment, images_, settings, progress_);
    preparing_ = way.preparing;
    return *observed_;
  }

  CalibrationSettings settings_of(const Way& way) const {
    return {
        .images = options_.calibration_images, .observer = way.observer, .methods = way.methods};
  }

  void measure(const std::string& scheme, const Deployment& deployment, const Way& way) {
    GridCell cell{.scheme = scheme, .way = way.name, .refusal = {}};
    try {
      const ObservedNetwork& observed = look(deployment, way);
      const auto begin = std::chrono::steady_clock::now();
      const QuantizedNetwork network =
          solve_network(observed, deployment, settings_of(way), &images_, progress_);
      write_file(file_.path(), quantized_file(network, file_.path()));
      cell.seconds =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      const auto session = open_session(file_.path(), 0);
      grid_.runtime = session->runtime();
      cell.validation = top1(*session, *held_back_, scheme + ", " + way.name + ", held back");
      cell.test = top1(*session, *test_, scheme + ", " + way.name + ", test");
    } catch (const Error& error) {
      if (error.code() != Code::Unsupported) throw;
      cell.refusal = error.what();
    }
    grid_.cells.push_back(std::move(cell));
  }

  const GridOptions& options_;
  const ProgressSink& progress_;
  DataRecipe recipe_;
  std::unique_ptr<Dataset> train_;
  std::unique_ptr<Dataset> whole_test_;
  Split parts_;
  CalibrationImages images_;
  ScratchFile file_;
  std::unique_ptr<Dataset> test_;
  std::unique_ptr<Dataset> held_back_;
  Graph graph_;
  GridReport grid_;
  std::optional<ObservedNetwork> observed_;  ///< by the present scheme,
  std::vector<std::string> preparing_;       ///< after these methods
};

}  // namespace

std::vector<std::string> grid_schemes() {
  std::vector<std::string> names;
  for (const GridScheme& scheme : known_schemes()) names.emplace_back(scheme.name);
  return names;
}

GridReport grid(const std::filesystem::path& model, const std::filesystem::path& data,
                const GridOptions& options, const ProgressSink& progress) {
  if (options.format != "onnx" && options.format != "tflite") {
    fail(Code::Usage, "the format is '{}'; wanted onnx or tflite", options.format);
  }
  if (options.calibration_images < 1 || options.test_images < 0) {
    fail(Code::Usage,
         "{} calibration images and {} test images; wanted 1 or more, and 0 (all) or more",
         options.calibration_images, options.test_images);
  }
  ways_of(options.ways);  // before the work, not after it
  for (const std::string& scheme : options.schemes) deployment_named(scheme, options.format);
  return GridRun(model, data, options, progress).run();
}

}  // namespace octet
