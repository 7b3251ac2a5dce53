#include "quant/reconcile.h"

#include <algorithm>
#include <cmath>
#include <ranges>
#include <set>

#include "base/fail.h"
#include "ops/op_def.h"

namespace octet {
namespace {

class Reconciler {
 public:
  Reconciler(Graph& graph, const TargetSet& targets, QuantTable& given)
      : graph_(graph), targets_(targets), given_(given) {}

  std::vector<Requantization> run() {
    for (const NodeId id : graph_.order() | std::views::reverse) inherit_from_results(id);
    for (const NodeId id : std::vector(graph_.order())) visit(id);
    graph_.sort();
    return std::move(made_);
  }

 private:
  bool is_data(ValueId id) const {
    return id != kAbsent && graph_.value(id).dtype == DType::Float32;
  }

  /// The inputs that carry data, by index.
  std::vector<size_t> data_inputs(const Node& node) const {
    const OpDef& op = op_of(node);
    std::vector<size_t> found;
    for (size_t i = 0; i < node.inputs.size() && i < op.data_inputs.value; ++i) {
      if (is_data(node.inputs[i])) found.push_back(i);
    }
    return found;
  }

  bool on_one_grid(const Node& node) const {
    if (!is_data(node.outputs.at(0)) || !targets_.supports(node.op)) return false;
    return std::holds_alternative<Moves>(op_of(node).quant.value) ||
           targets_.demand(node.op).output == OutputGrid::SameAsInput;
  }

  /// The operator's result, rounded once, is that of operands which are rounded to its grid.
  static bool commutes(const Node& node) {
    if (std::holds_alternative<Moves>(op_of(node).quant.value)) return true;
    return node.op == "Max" || node.op == "Min" || node.op == "Where" ||
           (node.op == "Resize" && node.text("mode", "nearest") == "nearest");
  }

  void inherit_from_results(NodeId id) {
    const Node& node = graph_.node(id);
    if (!on_one_grid(node)) return;
    const QuantParams* result = given_.find(node.outputs[0]);
    if (!result || node.outputs.size() > 1) return;
    for (const size_t i : data_inputs(node)) {
      const ValueId in = node.inputs[i];
      if (graph_.is_constant(in) || given_.find(in)) continue;
      given_.set(in, *result);
      inferred_.insert(in);
    }
  }

  void visit(NodeId id) {
    const Node node = graph_.node(id);
    if (node.outputs.empty() || !is_data(node.outputs[0])) return;
    const TargetOp row = targets_.demand(node.op);
    const QuantParams* result = given_.find(node.outputs[0]);
    if (row.output == OutputGrid::Fixed && result && !meets(*result, row) &&
        !std::holds_alternative<Pointwise>(op_of(node).quant.value)) {
      return copy_result(id, 0, std::nullopt, false);
    }
    if (!on_one_grid(node)) return;
    const std::vector<size_t> data = data_inputs(node);
    if (data.size() == 1) {
      follow(id, node, node.inputs[data[0]]);
    } else {
      unite(id, node, data);
    }
  }

  /// One operand: where the result is on another grid, that is a copy of what the operator makes.
  void follow(NodeId id, const Node& node, ValueId in) {
    const QuantParams* held = given_.find(in);
    if (!held || graph_.is_constant(in)) return;
    const QuantParams grid = *held;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (!is_data(node.outputs[i])) continue;
      const QuantParams* result = given_.find(node.outputs[i]);
      if (!result) {
        given_.set(node.outputs[i], grid);
        if (inferred_.contains(in)) inferred_.insert(node.outputs[i]);
      } else if (!same_grid(*result, grid)) {
        copy_result(id, i, grid, commutes(node) && !inferred_.contains(in));
      }
    }
  }

  void copy_result(NodeId id, size_t index, const std::optional<QuantParams>& grid, bool exact) {
    const ValueId out = graph_.node(id).outputs[index];
    const ValueId made = graph_.add_value(graph_.value(out).name + "/computed");
    graph_.value(made).shape = graph_.value(out).shape;
    graph_.value(made).shape_known = graph_.value(out).shape_known;
    graph_.node(id).outputs[index] = made;
    graph_.add_node({.name = graph_.value(out).name + "/requantize",
                     .op = "Clip",
                     .inputs = {made},
                     .outputs = {out},
                     .attributes = {}});
    if (grid) given_.set(made, *grid);
    made_.push_back({made, out, exact});
  }

  /// Several operands: those on another grid than the result are copied to it.
  void unite(NodeId id, const Node& node, const std::vector<size_t>& data) {
    const ValueId out = node.outputs[0];
    std::optional<QuantParams> grid;
    if (const QuantParams* result = given_.find(out)) {
      grid = *result;
    } else {
      grid = common_grid(node, data);
      if (grid) given_.set(out, *grid);
    }
    for (const size_t i : data) {
      const ValueId in = node.inputs[i];
      const QuantParams* held = given_.find(in);
      if (!held || (grid && same_grid(*held, *grid))) continue;
      if (graph_.is_constant(in)) {
        given_.erase(in);
        made_.push_back({in, in, true});
        continue;
      }
      const ValueId copy =
          graph_.add_op("Clip", std::format("{}/requantize {}", graph_.value(out).name, i), {in});
      graph_.value(copy).shape = graph_.value(in).shape;
      graph_.value(copy).shape_known = graph_.value(in).shape_known;
      if (grid) given_.set(copy, *grid);
      graph_.node(id).inputs[i] = copy;
      made_.push_back({in, copy, commutes(node) && !inferred_.contains(in)});
    }
  }

  /// The grid of all computed operands, where they have one and the same.
  std::optional<QuantParams> common_grid(const Node& node, const std::vector<size_t>& data) const {
    std::optional<QuantParams> grid;
    for (const size_t i : data) {
      if (graph_.is_constant(node.inputs[i])) continue;
      const QuantParams* held = given_.find(node.inputs[i]);
      if (!held || (grid && !same_grid(*held, *grid))) return std::nullopt;
      grid = *held;
    }
    return grid;
  }

  Graph& graph_;
  const TargetSet& targets_;
  QuantTable& given_;
  std::set<ValueId> inferred_;  ///< on a grid that the file gives another value
  std::vector<Requantization> made_;
};

}  // namespace

bool meets(const QuantParams& grid, const TargetOp& row) {
  return row.output != OutputGrid::Fixed ||
         (grid.scale[0] == row.scale && grid.zero_point[0] == row.zero_point);
}

bool is_rescaled(const QuantParams& from, double factor, const QuantParams& to) {
  const double wanted = from.scale[0] * factor;
  return to.zero_point == from.zero_point && std::abs(to.scale[0] - wanted) <= 1e-6 * wanted;
}

bool ends_at(const QuantParams& grid, std::pair<float, float> bounds) {
  const double zero = grid.zero_point[0];
  return std::nearbyint(bounds.first / grid.scale[0] + zero) <= grid.low &&
         std::nearbyint(bounds.second / grid.scale[0] + zero) >= grid.high;
}

std::optional<QuantParams> shared_grid(const Graph& graph, const QuantTable& given,
                                       const std::vector<ValueId>& values) {
  const QuantParams* found = nullptr;
  ValueId first = kAbsent;
  for (const ValueId id : values) {
    const QuantParams* grid = given.find(id);
    if (!grid) continue;
    const std::string& name = graph.value(id).name;
    if (!grid->per_tensor() || grid->type != DType::Int8) {
      fail(Code::Unsupported,
           "the constant '{}' is given in {} with {} scale(s); wanted int8 with one scale, as what "
           "it is combined with has",
           name, name_of(grid->type), grid->scale.size());
    }
    if (found && !same_grid(*found, *grid)) {
      fail(Code::Unsupported,
           "the values '{}' and '{}' would have to share a grid, but are given with scale {} and "
           "zero point {}, and scale {} and zero point {}",
           graph.value(first).name, name, found->scale[0], found->zero_point[0], grid->scale[0],
           grid->zero_point[0]);
    }
    found = grid;
    first = id;
  }
  return found ? std::optional(*found) : std::nullopt;
}

std::vector<Requantization> reconcile(Graph& graph, const TargetSet& targets, QuantTable& given) {
  return Reconciler(graph, targets, given).run();
}

}  // namespace octet
