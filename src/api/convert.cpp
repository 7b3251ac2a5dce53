#include <algorithm>
#include <set>

#include "api/bad_images.h"
#include "api/foreign.h"
#include "api/outputs.h"
#include "api/stages.h"
#include "base/fail.h"
#include "base/file.h"
#include "engine/executor.h"
#include "formats/onnx/import.h"
#include "formats/onnx/onnx_file.h"
#include "octet/octet.h"
#include "quant/calibrate.h"
#include "quant/carry.h"
#include "quant/ratio.h"
#include "quant/reconcile.h"
#include "quant/solve.h"

namespace octet {
namespace {

/// Values that live nodes make or read.
std::set<ValueId> live_values(const Graph& graph) {
  std::set<ValueId> live(graph.inputs().begin(), graph.inputs().end());
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    live.insert(node.inputs.begin(), node.inputs.end());
    live.insert(node.outputs.begin(), node.outputs.end());
  }
  return live;
}

/// A pass may stay when every value that the file gave a grid, and every place in a table, is still
/// there, and every such constant has its numbers. Biases follow from the rest.
Accept keeping(const QuantTable& given, const std::vector<ValueId>& places) {
  return [&given, &places](const Graph& before, const Graph& after) {
    const std::set<ValueId> was = live_values(before);
    const std::set<ValueId> is = live_values(after);
    const auto lost = [&](ValueId id) { return was.contains(id) && !is.contains(id); };
    if (std::ranges::any_of(places, lost)) return false;
    return std::ranges::all_of(given.values(), [&](const auto& entry) {
      const auto& [id, params] = entry;
      if (params.type == DType::Int32 || !was.contains(id)) return true;
      if (!is.contains(id)) return false;
      return !before.is_constant(id) ||
             before.value(id).constant->bytes == after.value(id).constant->bytes;
    });
  };
}

ImportedNetwork import_file(const std::filesystem::path& model, const ConvertOptions& options) {
  run_foreign_nodes();
  Graph file = read_quantized_onnx(model, parse_input_shapes(options.shapes));
  fold_constants(file);  // scales and zero points may be computed of constants
  try {
    return import_quantized(file);
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", model.string(), error.what());
  }
}

class Conversion {
 public:
  Conversion(ImportedNetwork imported, const Deployment& deployment, const ConvertOptions& options)
      : given_(std::move(imported.given)),
        places_(std::move(imported.table_places)),
        deployment_(deployment),
        targets_(deployment.targets),
        options_(options) {
    network_.targets = targets_.names();
    network_.form = deployment.form;
    network_.seed = options.seed;
    network_.graph = std::move(imported.graph);
    result_.notes = std::move(imported.notes);
    for (const auto& [from, to] : imported.second_grids) requantized_.push_back({from, to, false});
  }

  void prepare() {
    Graph& graph = network_.graph;
    const Accept accept = keeping(given_, places_);
    network_.log = simplify(graph, accept);
    const auto supported = [&](std::string_view op) { return targets_.supports(op); };
    std::ranges::move(lower(graph, supported, accept), std::back_inserter(network_.log));
    drop_lost();
    std::ranges::move(reconcile(graph, targets_, given_), std::back_inserter(requantized_));
    note_requantizations();
    network_.placement = place(graph, targets_, deployment_.scheme, given_);
    network_.in_float = lines_in_float(graph, network_.placement);
    refuse_float(network_, targets_);
    narrow();
  }

  void calibrate_rest(const std::filesystem::path& model, const ProgressSink& progress) {
    const Graph& graph = network_.graph;
    const ValueId unknown = first_unknown(graph, network_.placement);
    Ranges ranges = constant_ranges(graph, network_.placement);
    if (unknown != kAbsent) {
      if (options_.data.empty()) {
        fail(Code::Unsupported,
             "{}: the value '{}' is not quantized in the file; give images that calibrate it and "
             "what else is float (--data)",
             model.string(), graph.value(unknown).name);
      }
      ranges = from_images(model, progress);
    }
    network_.table = solve(graph, network_.placement, ranges, given_);
    check_ratios(graph, network_.table, targets_);
    count(ranges);
  }

  const QuantizedNetwork& network() const { return network_; }

  ConvertResult result() {
    Carried carried =
        compare_with_given(network_.graph, network_.placement, network_.table, given_);
    result_.carried = carried.tensors - narrowed_;
    std::ranges::move(carried.changes, std::back_inserter(result_.changes));
    std::ranges::move(carried.notes, std::back_inserter(result_.notes));
    std::ranges::move(notes_on(network_, targets_), std::back_inserter(result_.notes));
    result_.passes = network_.log;
    result_.in_float = network_.in_float;
    return std::move(result_);
  }

 private:
  const std::string& name(ValueId id) const { return network_.graph.value(id).name; }

  /// Grids of values that nothing reads.
  void drop_lost() {
    const std::set<ValueId> live = live_values(network_.graph);
    std::vector<ValueId> lost;
    for (const auto& [id, params] : given_.values()) {
      if (!live.contains(id)) lost.push_back(id);
    }
    for (const ValueId id : lost) given_.erase(id);
  }

  void note_requantizations() {
    for (const Requantization& copy : requantized_) {
      if (copy.exact) {
        result_.notes.push_back(
            copy.from == copy.to
                ? std::format("the constant '{}' is rounded to the grid of its operator",
                              name(copy.from))
                : std::format("'{}' is '{}' on its own grid", name(copy.to), name(copy.from)));
        continue;
      }
      if (!options_.allow_requantize) {
        fail(Code::Unsupported,
             "the value '{}' is given another grid than '{}', which it would have to be rounded "
             "from "
             "in integers; allow that by --allow-requantize",
             name(copy.to), name(copy.from));
      }
      result_.changes.push_back(
          std::format("'{}' is rounded once more, from '{}'", name(copy.to), name(copy.from)));
    }
  }

  /// -128 in weights is for targets without float between integers to refuse.
  void narrow() {
    const auto strict = [](const TargetProfile* target) {
      return target->float_nodes != FloatNodes::Any;
    };
    if (!options_.allow_requantize || std::ranges::none_of(targets_.profiles(), strict)) return;
    std::vector<std::string> lines = narrow_weights(network_.graph, network_.placement, given_);
    narrowed_ = static_cast<int64_t>(lines.size());
    std::ranges::move(lines, std::back_inserter(result_.changes));
  }

  Ranges from_images(const std::filesystem::path& model, const ProgressSink& progress) {
    check_images(network_.graph, model);
    const DataRecipe recipe = read_data(options_.data);
    const auto dataset = open_part(recipe.train, "train");
    check_input(network_.graph, *dataset);
    const CalibrationSettings settings{.images = options_.calibration_images,
                                       .observer = options_.observer,
                                       .percentile = options_.percentile,
                                       .skip_bad_images = skips_bad_images(options_.bad_images)};
    const Split parts = split(*dataset, recipe.validation, options_.seed);
    ImageStream images(*dataset, parts, settings, progress);
    const NextImages next = [&](std::vector<float>& batch) { return images.next(batch); };
    const Calibration seen = observe(network_.graph, network_.placement, next, images.bad_images());
    std::ranges::move(notes_on_skipped(seen), std::back_inserter(result_.notes));
    return choose_ranges(network_.placement, seen, settings);
  }

  /// Groups that got a range, but for those of constants.
  void count(const Ranges& ranges) {
    const Graph& graph = network_.graph;
    for (const auto& [index, range] : ranges) {
      for (const ValueId id : network_.placement.groups[index].members) {
        if (!graph.is_constant(id)) {
          ++result_.calibrated;
        } else {
          result_.notes.push_back(std::format(
              "the constant '{}' was float, and is quantized to its own range", name(id)));
        }
      }
    }
    for (const Group& group : network_.placement.groups) {
      const ValueId id = group.members[0];
      if (!std::holds_alternative<WeightGrid>(group.rule) || given_.find(id)) continue;
      result_.notes.push_back(
          std::format("the weight '{}' was float, and is quantized to its own range", name(id)));
    }
  }

  QuantTable given_;
  std::vector<ValueId> places_;
  const Deployment& deployment_;
  const TargetSet& targets_;
  const ConvertOptions& options_;
  QuantizedNetwork network_;
  std::vector<Requantization> requantized_;
  int64_t narrowed_ = 0;  ///< weights whose scales are as given, but not all of their integers
  ConvertResult result_;
};

}  // namespace

ConvertResult convert(const std::filesystem::path& model,
                      const std::vector<std::filesystem::path>& outputs,
                      const ConvertOptions& options, const ProgressSink& progress) {
  if (options.calibration_images < 1) {
    fail(Code::Usage, "{} calibration images; wanted 1 or more", options.calibration_images);
  }
  refuse_overwriting(model, outputs);
  for (const auto& output : outputs) {
    if (output.extension() != ".octet") continue;
    fail(Code::Usage, "{}: a converted network is written as .onnx or .tflite", output.string());
  }
  // Given weights keep their integers, which may saturate.
  const Deployment deployment = deployment_of({.targets = targets_of(outputs, options.targets),
                                               .saturation = "report",
                                               .form = options.form,
                                               .activation_bits = 8});
  Conversion conversion(import_file(model, options), deployment, options);
  conversion.prepare();
  conversion.calibrate_rest(model, progress);
  const auto files = files_of(conversion.network(), outputs);
  for (size_t i = 0; i < outputs.size(); ++i) write_file(outputs[i], files[i]);
  return conversion.result();
}

}  // namespace octet
