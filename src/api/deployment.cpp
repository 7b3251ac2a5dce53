#include "api/deployment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <span>
#include <string_view>

#include "base/fail.h"
#include "base/text.h"
#include "quant/scheme_text.h"
#include "quant/sixteen_bits.h"

namespace octet {
namespace {

/// Pixels may be off the grid by this part of a step: means are given in few decimals.
constexpr double kOffGrid = 0.01;

size_t index_of(const std::string& word, std::string_view what,
                std::span<const std::string_view> words) {
  const auto it = std::ranges::find(words, word);
  if (it != words.end()) return static_cast<size_t>(it - words.begin());
  const std::vector<std::string> known(words.begin(), words.end());
  const std::string near = nearest(word, known);
  fail(Code::Usage, "'{}' is no choice of {}; wanted {}{}", word, what, join(known, " or "),
       near.empty() ? "" : std::format(" (did you mean '{}'?)", near));
}

constexpr std::array<std::string_view, 3> kIo{"float", "int8", "uint8"};
constexpr std::array<std::string_view, 2> kForms{"qdq", "qoperator"};

bool all_equal(const std::vector<float>& numbers) {
  return std::ranges::all_of(numbers, [&](float number) { return number == numbers[0]; });
}

}  // namespace

std::string io_text(Io io) { return std::string(kIo.at(static_cast<size_t>(io))); }

Io parse_io(const std::string& word) {
  return static_cast<Io>(index_of(word, "input and output", kIo));
}

std::string form_text(OnnxForm form) { return std::string(kForms.at(static_cast<size_t>(form))); }

OnnxForm parse_form(const std::string& word) {
  return static_cast<OnnxForm>(index_of(word, "the form of ONNX files", kForms));
}

FileForm form_for(const TargetSet& targets, Io io) {
  const auto wants_signed = [](const TargetProfile* profile) {
    return profile->extension == ".onnx" && !profile->unsigned_activations;
  };
  return {.io = io, .unsigned_activations = std::ranges::none_of(targets.profiles(), wants_signed)};
}

namespace {

/// Activations stay real there, and files are what the runtimes' own dynamic kernels want.
void check_dynamic(const DeploymentChoice& choice, const Deployment& made) {
  if (made.scheme.activation_bits != 8) {
    fail(Code::Usage, "dynamic ranges leave activations real; wanted 8 bits, not {}",
         made.scheme.activation_bits);
  }
  const auto refuse = [](std::string_view what, const std::string& word) {
    fail(Code::Usage, "dynamic ranges have no choice of {}; leave out '{}'", what, word);
  };
  if (!choice.io.empty() && choice.io != "float") refuse("input and output", choice.io);
  if (choice.form == "qoperator") refuse("the form of ONNX files", choice.form);
  if (!choice.weights.empty()) refuse("weights", choice.weights);
  if (made.scheme.activations == Scheme::Activations::Symmetric) {
    refuse("activations", choice.activations);
  }
  if (made.scheme.weight_range == Scheme::WeightRange::Full) {
    refuse("the range of weights", choice.weight_range);
  }
  if (made.scheme.scales == Scheme::Scales::PowerOfTwo) refuse("scales", choice.scales);
  for (const TargetProfile* target : made.targets.profiles()) {
    if (target->io == Io::Float) continue;
    fail(Code::Usage, "the target {} has no kernels of dynamic ranges; wanted static ones",
         target->name);
  }
}

Scheme::Groups groups_of(const DeploymentChoice& choice) {
  Scheme::Groups groups;
  if (choice.weight_bits != 0) groups.bits = choice.weight_bits;
  if (choice.group_size != 0) groups.size = choice.group_size;
  if (!choice.weights.empty()) {
    constexpr std::array<std::string_view, 2> kWords{"asymmetric", "symmetric"};
    groups.symmetric = index_of(choice.weights, "weights in groups", kWords) == 1;
  }
  if (!std::ranges::contains(kGroupBits, groups.bits) ||
      !std::ranges::contains(kGroupSizes, groups.size)) {
    fail(Code::Usage,
         "weights of {} bits in groups of {}; ONNX Runtime has 4 or 8 bits, in groups of 16, 32, "
         "64, 128 or 256",
         groups.bits, groups.size);
  }
  return groups;
}

/// Activations stay real there, and products are ONNX Runtime's MatMulNBits.
void check_weight_only(const DeploymentChoice& choice, const Deployment& made) {
  for (const TargetProfile* target : made.targets.profiles()) {
    if (target->name == "onnxruntime-cpu") continue;
    fail(Code::Usage,
         "the target {} has no kernels of weights in groups; wanted onnxruntime-cpu (.onnx), or "
         "the ranges static or dynamic",
         target->name);
  }
  const auto refuse = [](std::string_view what, const std::string& word) {
    fail(Code::Usage, "weight-only ranges have no choice of {}; leave out '{}'", what, word);
  };
  if (made.scheme.activation_bits != 8) {
    fail(Code::Usage, "weight-only ranges leave activations real; wanted 8 bits, not {}",
         made.scheme.activation_bits);
  }
  if (!choice.io.empty() && choice.io != "float") refuse("input and output", choice.io);
  if (choice.form == "qoperator") refuse("the form of ONNX files", choice.form);
  if (made.scheme.activations == Scheme::Activations::Symmetric) {
    refuse("activations", choice.activations);
  }
  if (made.scheme.weight_range == Scheme::WeightRange::Full) {
    refuse("the range of weights", choice.weight_range);
  }
  if (made.scheme.scales == Scheme::Scales::PowerOfTwo) refuse("scales", choice.scales);
}

/// Of weights that are not in groups.
int weight_bits_of(const DeploymentChoice& choice, const Scheme& scheme) {
  if (choice.group_size != 0) {
    fail(Code::Usage, "groups of weights are for the ranges 'weight-only', not '{}'",
         choice.ranges.empty() ? "static" : choice.ranges);
  }
  if (choice.weight_bits == 0 || choice.weight_bits == 8) return 8;
  if (choice.weight_bits != 4) {
    fail(Code::Usage, "weights of {} bits; wanted 8 or 4", choice.weight_bits);
  }
  if (scheme.ranges != Scheme::Ranges::Static) {
    fail(Code::Usage, "weights of 4 bits are for static ranges, and weight-only ones, not '{}'",
         choice.ranges);
  }
  return choice.weight_bits;
}

}  // namespace

std::string overrides_text(const std::vector<Override>& overrides) {
  std::vector<std::string> lines;
  for (const Override& chosen : overrides) lines.push_back(override_text(chosen));
  return join(lines, "\n");
}

std::vector<Override> parse_overrides(const std::vector<std::string>& lines) {
  std::vector<Override> overrides;
  for (const std::string& line : lines) overrides.push_back(parse_override(line));
  return overrides;
}

Deployment deployment_of(const DeploymentChoice& choice) {
  Deployment made{.targets = TargetSet(choice.targets),
                  .scheme = {},
                  .overrides = choice.overrides,
                  .form = {}};
  const TargetSet& targets = made.targets;
  made.scheme.weights = targets.weights();
  const bool weight_only = choice.ranges == "weight-only";
  if (weight_only) {
    made.scheme.groups = groups_of(choice);
  } else if (!choice.weights.empty()) {
    constexpr std::array<std::string_view, 2> kWords{"per-channel", "per-tensor"};
    made.scheme.weights = static_cast<Scheme::Weights>(index_of(choice.weights, "weights", kWords));
  }
  if (!choice.activations.empty()) {
    constexpr std::array<std::string_view, 2> kWords{"asymmetric", "symmetric"};
    made.scheme.activations =
        static_cast<Scheme::Activations>(index_of(choice.activations, "activations", kWords));
  }
  if (!choice.saturation.empty()) {
    constexpr std::array<std::string_view, 2> kWords{"avoid", "report"};
    made.scheme.saturation = index_of(choice.saturation, "saturation", kWords) == 0
                                 ? Scheme::Saturation::Avoid
                                 : Scheme::Saturation::Report;
  }
  if (!choice.weight_range.empty()) {
    constexpr std::array<std::string_view, 2> kWords{"narrow", "full"};
    made.scheme.weight_range = static_cast<Scheme::WeightRange>(
        index_of(choice.weight_range, "the range of weights", kWords));
  }
  if (!choice.scales.empty()) {
    constexpr std::array<std::string_view, 2> kWords{"any", "power-of-two"};
    made.scheme.scales = static_cast<Scheme::Scales>(index_of(choice.scales, "scales", kWords));
  }
  made.scheme.activation_bits =
      choice.activation_bits != 0 ? choice.activation_bits : targets.profiles()[0]->activation_bits;
  const bool wide = made.scheme.activation_bits == 16;
  if (wide) made.scheme.activations = Scheme::Activations::Symmetric;
  if (!choice.ranges.empty()) {
    constexpr std::array<std::string_view, 3> kWords{"static", "dynamic", "weight-only"};
    made.scheme.ranges = static_cast<Scheme::Ranges>(index_of(choice.ranges, "ranges", kWords));
  }
  if (made.scheme.ranges == Scheme::Ranges::Dynamic) check_dynamic(choice, made);
  if (weight_only) {
    check_weight_only(choice, made);
  } else {
    made.scheme.weight_bits = weight_bits_of(choice, made.scheme);
  }
  check_activation_bits(targets, made.scheme);
  made.form = form_for(targets, choice.io.empty() ? targets.io() : parse_io(choice.io));
  if (!choice.form.empty()) made.form.onnx = parse_form(choice.form);
  if (wide && made.form.io != Io::Float) {
    fail(Code::Usage, "files of 16-bit activations have float at their ends; leave out '{}'",
         choice.io);
  }
  if (wide && made.scheme.scales == Scheme::Scales::PowerOfTwo) {
    fail(Code::Usage, "scales that are powers of two are for 8-bit activations; leave out '{}'",
         choice.scales);
  }
  targets.check(made.scheme);
  targets.check(made.form.io);
  check_overrides(targets, made.scheme, made.overrides);
  return made;
}

Deployment deployment_in(const Properties& properties, const std::filesystem::path& file) {
  const auto said = [&](const std::string& key) {
    const auto it = properties.find(key);
    return it == properties.end() ? std::string() : it->second;
  };
  std::vector<std::string> names = split_text(said("octet.targets"), ',');
  for (const TargetProfile& target : all_targets()) {
    if (!names.empty()) break;
    if (target.extension == file.extension()) names.emplace_back(target.name);
  }
  try {
    Deployment made = deployment_of(
        {.targets = std::move(names), .io = said("octet.io"), .form = said("octet.form")});
    if (!said("octet.scheme").empty()) made.scheme = parse_scheme(said("octet.scheme"));
    made.targets.check(made.scheme);
    check_activation_bits(made.targets, made.scheme);
    made.overrides = parse_overrides(split_text(said("octet.overrides"), '\n'));
    check_overrides(made.targets, made.scheme, made.overrides);
    if (made.scheme.ranges != Scheme::Ranges::Static) {
      fail(Code::Unsupported, "its ranges are {}, which octet does not simulate",
           made.scheme.ranges == Scheme::Ranges::Dynamic ? "dynamic" : "weight-only");
    }
    return made;
  } catch (const Error& error) {
    const bool unknown = error.code() == Code::Usage;
    fail(unknown ? Code::Model : error.code(), "{}: {}", file.string(), error.what());
  }
}

std::expected<FixedGrid, std::string> pixel_grid(const DataSource& source) {
  if (!all_equal(source.mean) || !all_equal(source.deviation)) {
    return std::unexpected("the data's mean and deviation differ between channels");
  }
  const double mean = source.mean.empty() ? 0 : source.mean[0];
  const double deviation = source.deviation.empty() ? 1 : source.deviation[0];
  const double zero = mean * 255;
  if (std::abs(zero - std::round(zero)) > kOffGrid) {
    return std::unexpected(
        std::format("the data's mean is {:.4g} of 255, which is no whole number", zero));
  }
  return FixedGrid{static_cast<float>(1 / (255 * deviation)),
                   static_cast<int32_t>(std::lround(zero)) - 128};
}

}  // namespace octet
