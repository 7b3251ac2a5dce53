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

/// A word of a scheme, and the choice that it makes.
struct SchemeWord {
  std::string_view word;
  std::string DeploymentChoice::* choice;
};

constexpr std::array kSchemeWords{
    SchemeWord{"per-channel", &DeploymentChoice::weights},
    SchemeWord{"per-tensor", &DeploymentChoice::weights},
    SchemeWord{"asymmetric", &DeploymentChoice::activations},
    SchemeWord{"symmetric", &DeploymentChoice::activations},
    SchemeWord{"narrow", &DeploymentChoice::weight_range},
    SchemeWord{"full", &DeploymentChoice::weight_range},
    SchemeWord{"power-of-two", &DeploymentChoice::scales},
    SchemeWord{"dynamic", &DeploymentChoice::ranges},
};
constexpr std::string_view kWide = "int16";    ///< activations, of a target of their own
constexpr std::string_view kFewBits = "int4";  ///< weights

/// "per-tensor symmetric power-of-two", in files of a format.
Deployment deployment_named(const std::string& name, const std::string& format) {
  DeploymentChoice choice{.targets = {format == "onnx" ? "onnxruntime-cpu" : "tflite"}};
  for (const std::string& word : split_text(name, ' ')) {
    const auto known = std::ranges::find(kSchemeWords, word, &SchemeWord::word);
    if (known != kSchemeWords.end()) {
      choice.*known->choice = word;
    } else if (word == kFewBits) {
      choice.weight_bits = 4;
    } else if (word == kWide) {
      choice.activation_bits = 16;
      if (format == "tflite") choice.targets = {"tflite-int16x8"};
    } else {
      std::vector<std::string> words;
      for (const SchemeWord& scheme : kSchemeWords) words.emplace_back(scheme.word);
      words.emplace_back(kWide);
      words.emplace_back(kFewBits);
      fail(Code::Usage, "the scheme '{}' has the word '{}'; wanted some of {}", name, word,
           join(words, ", "));
    }
  }
  return deployment_of(choice);
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

using Clock = std::chrono::steady_clock;

/// The only way to dynamic ranges.
constexpr const char* kUncalibrated = "no calibration";

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
    for (const std::string& scheme :
         options_.schemes.empty() ? grid_schemes(options_.format) : options_.schemes) {
      const Deployment deployment = deployment_named(scheme, options_.format);
      observed_.reset();
      if (deployment.scheme.ranges == Scheme::Ranges::Dynamic) {
        measure({.scheme = scheme, .way = kUncalibrated, .refusal = {}},
                [&] { return quantize_weights(graph_, deployment); });
        continue;
      }
      for (const Way& way : ways) {
        measure({.scheme = scheme, .way = way.name, .refusal = {}},
                [&] { return quantized(deployment, way); });
      }
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

  QuantizedNetwork quantized(const Deployment& deployment, const Way& way) {
    const ObservedNetwork& observed = look(deployment, way);
    begin_ = Clock::now();
    return solve_network(observed, deployment, settings_of(way), &images_, progress_);
  }

  /// A combination of scheme and method that cannot be had is an answer.
  template <class Make>
  void measure(GridCell cell, Make make) {
    try {
      begin_ = Clock::now();
      const QuantizedNetwork network = make();
      write_file(file_.path(), quantized_file(network, file_.path()));
      cell.seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
      const auto session = open_session(file_.path(), 0);
      grid_.runtime = session->runtime();
      const std::string what = cell.scheme + ", " + cell.way;
      cell.validation = top1(*session, *held_back_, what + ", held back");
      cell.test = top1(*session, *test_, what + ", test");
    } catch (const Error& error) {
      if (error.code() != Code::Unsupported && error.code() != Code::Usage) throw;
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
  Clock::time_point begin_;                  ///< of what comes after the look
};

}  // namespace

std::vector<std::string> grid_schemes(const std::string& format) {
  return {
      "per-channel asymmetric",
      "per-channel symmetric",
      "per-tensor asymmetric",
      "per-tensor symmetric",
      "per-channel asymmetric power-of-two",
      "per-tensor symmetric power-of-two",
      format == "onnx" ? "per-channel asymmetric full" : "per-channel symmetric int16",
      "dynamic",
  };
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
