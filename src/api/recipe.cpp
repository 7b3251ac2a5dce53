#include "api/recipe.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "api/recipe_training.h"
#include "api/yaml_section.h"
#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

constexpr Limits<int64_t> kBatch{1, 65536};

/// "32x32" to numbers from 1 to 65536; empty when it is something else.
Shape parse_sizes(const std::string& text, size_t count) {
  Shape sizes;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    int64_t size = 0;
    const auto [next, error] = std::from_chars(at, end, size);
    if (error != std::errc{} || size < 1 || size > 65536) return {};
    sizes.push_back(size);
    if (next == end) break;
    if (*next != 'x') return {};
    at = next + 1;
  }
  return sizes.size() == count ? sizes : Shape{};
}

std::vector<float> read_floats(YamlSection& section, const std::string& key,
                               Limits<double> limits) {
  const std::vector<double> values = section.reals(key, limits);
  return {values.begin(), values.end()};
}

/// What the train and test part have in common.
DataSource read_shared(YamlSection& section) {
  DataSource source;
  source.classes = section.whole("classes", {1, 1000000});
  source.mean = read_floats(section, "mean", {0, 1});
  source.deviation = read_floats(section, "deviation", {0.001, 1000});
  source.channels = section.whole("channels", {1, 3}, source.channels);
  if (source.channels == 2) section.refuse("channels", "3 (RGB) or 1 (grey)");
  source.length = section.whole("length", {1, 1000000}, source.length);
  const std::string size = section.text("size", "");
  if (size.empty()) return source;
  const Shape sizes = parse_sizes(size, 2);
  if (sizes.empty()) section.refuse("size", "HEIGHTxWIDTH, such as 32x32");
  source.height = sizes[0];
  source.width = sizes[1];
  return source;
}

std::optional<DataSource> read_source(YamlSection& section, const std::string& key,
                                      DataSource source) {
  YamlSection part = section.section(key);
  if (!section.has(key)) return std::nullopt;
  const std::vector<std::string> formats = data_formats();
  source.format = formats[part.choice("format", formats)];
  source.images = part.path(source.format == "text" ? "text" : "images");
  if (source.format == "text" && source.length == 0) {
    part.refuse_at("format",
                   "a text is cut into sequences of the network's length; wanted 'length', such as "
                   "64, beside 'classes'");
  }
  if (source.format == "idx") source.labels = part.path("labels");
  part.finish();
  return source;
}

DataRecipe read_data(YamlSection section) {
  DataRecipe data;
  const DataSource shared = read_shared(section);
  data.train = read_source(section, "train", shared);
  data.test = read_source(section, "test", shared);
  data.validation = section.real("validation", {0, 0.9}, data.validation);
  section.finish();
  if (!data.train && !data.test) {
    section.refuse_missing("train", "a data source here, in 'test', or in both");
  }
  return data;
}

CalibrationSettings read_calibration(YamlSection section) {
  CalibrationSettings settings;
  settings.images = section.whole("images", {1, 100000000}, settings.images);
  settings.batch = section.whole("batch", {0, kBatch.highest}, settings.batch);
  settings.observer = section.text("observer", settings.observer);
  settings.percentile = section.real("percentile", {50, 100}, settings.percentile);
  settings.norm = section.real("norm", {1, 8}, settings.norm);
  const std::vector<std::string> bad_images = {"fail", "skip"};
  settings.skip_bad_images = section.choice("bad_images", bad_images, 0) == 1;
  settings.migration = section.real("migration", {0, 1}, settings.migration);
  settings.methods = section.texts("methods");
  section.finish();
  return settings;
}

EvaluationSettings read_evaluation(YamlSection section) {
  EvaluationSettings settings;
  settings.batch = section.whole("batch", kBatch, settings.batch);
  settings.latency_runs = section.whole("latency_runs", {1, 1000000}, settings.latency_runs);
  section.finish();
  return settings;
}

VerificationSettings read_verification(YamlSection section) {
  VerificationSettings settings;
  settings.images = section.whole("images", {0, 100000000}, settings.images);
  const int64_t limit = section.whole("limit", {0, 65535}, 0);
  if (section.has("limit")) settings.limit = limit;
  section.finish();
  return settings;
}

NewNetwork read_network(YamlSection section) {
  NewNetwork network;
  network.arch = section.text("arch");
  const std::string input = section.text("input");
  network.input = parse_sizes(input, 3);
  if (network.input.empty()) section.refuse("input", "CHANNELSxHEIGHTxWIDTH, such as 1x28x28");
  network.classes = section.whole("classes", {1, 1000000});
  network.width = section.real("width", {0.05, 16}, network.width);
  section.finish();
  return network;
}

std::string read_name(YamlSection& root) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  std::string name = root.text("name");
  if (!std::ranges::all_of(name, allowed) || name.starts_with('.')) {
    root.refuse("name", "letters, digits, '_', '-' and '.' (not first): it names a folder");
  }
  return name;
}

void read_model(YamlSection& root, Recipe& recipe) {
  if (root.has("model") && root.has("new")) {
    root.refuse_at("new", "'new' and 'model' are both given; wanted one of them");
  }
  YamlSection network = root.section("new");
  const std::string shape = root.text("shape", "");
  if (!shape.empty()) {
    if (root.has("new")) {
      root.refuse_at("shape", "'shape' is for 'model'; wanted the size in 'new.input'");
    }
    const auto parsed = parse_input_shape(shape);
    if (!parsed) root.refuse("shape", kInputShapeForm);
    recipe.shapes = {*parsed};
  }
  if (root.has("new")) {
    recipe.new_network = read_network(std::move(network));
  } else {
    recipe.model = root.path("model");
  }
}

/// One of a few words; empty where the key is absent.
std::string read_word(YamlSection& section, const std::string& key,
                      const std::vector<std::string>& words) {
  const size_t chosen = section.choice(key, words, words.size());
  return chosen == words.size() ? "" : words[chosen];
}

/// {nodes: PATTERN, compute: float, weights: per-tensor, activations: symmetric}; at least one
/// word.
Override read_override(YamlSection section) {
  const std::string pattern = section.text("nodes");
  const std::vector<std::pair<std::string, std::vector<std::string>>> kinds{
      {"compute", {"float", "int8", "int16"}},
      {"weights", {"per-channel", "per-tensor"}},
      {"activations", {"asymmetric", "symmetric"}}};
  std::vector<std::string> words;
  for (const auto& [key, known] : kinds) {
    const std::string word = read_word(section, key, known);
    if (!word.empty()) words.push_back(word);
  }
  section.finish();
  if (words.empty()) section.refuse_missing("compute", "that, 'weights' or 'activations'");
  return parse_override(pattern + "=" + join(words, ","));
}

void read_scheme(YamlSection& root, DeploymentChoice& choice) {
  YamlSection scheme = root.section("scheme");
  choice.weights = read_word(scheme, "weights", {"per-channel", "per-tensor"});
  choice.activations = read_word(scheme, "activations", {"asymmetric", "symmetric"});
  choice.weight_range = read_word(scheme, "weight_range", {"narrow", "full"});
  choice.weight_bits = static_cast<int>(scheme.whole("weight_bits", {4, 8}, 8));
  choice.scales = read_word(scheme, "scales", {"any", "power-of-two"});
  choice.saturation = read_word(scheme, "saturation", {"avoid", "report"});
  choice.ranges = read_word(scheme, "ranges", {"static", "dynamic"});
  for (YamlSection& each : scheme.sections("overrides")) {
    choice.overrides.push_back(read_override(std::move(each)));
  }
  scheme.finish();
  choice.io = read_word(root, "io", {"float", "int8", "uint8"});
}

DataRecipe read_recipe_data(YamlSection& root) {
  if (root.is_section("data")) return read_data(root.section("data"));
  return read_data(YamlSection::load(root.path("data")));
}

}  // namespace

Recipe read_recipe(const std::filesystem::path& file) {
  YamlSection root = YamlSection::load(file);
  Recipe recipe;
  recipe.file = file;
  recipe.name = read_name(root);
  recipe.seed =
      static_cast<uint64_t>(root.whole("seed", {0, std::numeric_limits<int64_t>::max()}, 1));
  read_model(root, recipe);
  const std::vector<std::string> targets = root.texts("targets");
  if (root.has("targets") && targets.empty()) root.refuse("targets", "at least one target");
  if (!targets.empty()) recipe.deployment.targets = targets;
  read_scheme(root, recipe.deployment);
  recipe.train = read_training(root.section("train"), {}, false);
  recipe.calibration = read_calibration(root.section("calibration"));
  recipe.qat = read_training(root.section("qat"), qat_defaults(), true);
  recipe.evaluation = read_evaluation(root.section("evaluation"));
  recipe.verification = read_verification(root.section("verification"));
  recipe.data = read_recipe_data(root);
  root.finish();
  return recipe;
}

DataRecipe read_data(const std::filesystem::path& file) {
  return read_data(YamlSection::load(file));
}

Shape parse_image_shape(const std::string& text) {
  Shape shape = parse_sizes(text, 3);
  if (shape.empty()) {
    fail(Code::Usage, "'{}' is no image shape; wanted CHANNELSxHEIGHTxWIDTH, such as 1x28x28",
         text);
  }
  return shape;
}

}  // namespace octet
