#include "formats/onnx/import.h"

#include <algorithm>

#include "base/fail.h"
#include "formats/onnx/import_grid.h"
#include "formats/onnx/importer.h"
#include "graph/quantize_tensor.h"

namespace octet {

ImportedNetwork import_quantized(const Graph& file) { return Importer(file).run(); }

ImportedNetwork Importer::run() {
  made_.graph.name = file_.name;
  for (const ValueId id : file_.inputs()) add_input(id);
  for (const NodeId id : file_.order()) visit(file_.node(id));
  if (made_.given.values().empty()) {
    fail(Code::Model, "none of its tensors is quantized; use 'octet quantize' for float networks");
  }
  add_outputs();
  return std::move(made_);
}

void Importer::add_input(ValueId id) {
  const Value& input = file_.value(id);
  const bool integers = input.dtype == DType::Int8 || input.dtype == DType::UInt8;
  const ValueId made =
      made_.graph.add_input(input.name, integers ? DType::Float32 : input.dtype, input.shape);
  if (!integers) return bind(id, {.kind = Binding::Kind::Real, .id = made});
  Binding held{.kind = Binding::Kind::Integers, .id = made, .grid = grid_by_reader(id)};
  made_.given.set(made, held.grid.params);
  made_.notes.push_back(std::format("the input '{}' is {} in the given file, and float32 now",
                                    input.name, name_of(input.dtype)));
  bind(id, std::move(held));
}

void Importer::add_outputs() {
  Graph& graph = made_.graph;
  for (const ValueId id : file_.outputs()) {
    const Binding* held = find(id);
    const std::string& name = file_.value(id).name;
    if (!held || held->kind == Binding::Kind::Constant) {
      fail(Code::Unsupported, "the output '{}' is a constant", name);
    }
    if (held->kind == Binding::Kind::Integers) {
      made_.notes.push_back(
          std::format("the output '{}' is integers in the given file, and float32 now", name));
    }
    graph.add_output(held->id);
    if (graph.value(held->id).name == name || !graph.producer(held->id)) continue;
    const auto taken = graph.find(name);
    graph.swap_names(held->id, taken ? *taken : graph.add_value(name));
  }
}

void Importer::visit(const Node& node) {
  if (node.op == "QuantizeLinear") return quantize(node);
  if (node.op == "DequantizeLinear") return dequantize(node);
  const auto rows = import_rows();
  const auto row = std::ranges::find(rows, node.op, &ImportRow::op);
  if (row != rows.end()) return row->import(*this, node);
  if (alias(node) || in_row(node) || look_up(node)) return;
  if (std::ranges::any_of(node.inputs, [&](ValueId in) { return is_integers(in); })) {
    return on_integers(node);
  }
  if (!turn_constant(node)) copy(node);
}

const Importer::Binding* Importer::find(ValueId id) const {
  const auto it = bound_.find(id);
  return it == bound_.end() ? nullptr : &it->second;
}

bool Importer::is_integers(ValueId id) const {
  const Binding* held = find(id);
  if (!held || held->kind == Binding::Kind::Real) return false;
  return held->kind != Binding::Kind::Constant || !held->dequantized;
}

const Tensor* Importer::stored_integers(ValueId id) const {
  const Binding* held = find(id);
  if (held) return held->kind == Binding::Kind::Constant ? held->integers.get() : nullptr;
  return file_.is_constant(id) ? &*file_.value(id).constant : nullptr;
}

/// What passes its input on. A cast of integers widens them, for operators that want it so.
bool Importer::alias(const Node& node) {
  const Binding* held = node.inputs.empty() ? nullptr : find(node.inputs[0]);
  const bool cast = node.op == "Cast" && held && held->kind == Binding::Kind::Integers;
  const bool same = node.op == "Identity" || (node.op == "Dropout" && node.outputs.size() == 1);
  if (!held || (!cast && !same)) return false;
  bind(node.outputs[0], *held);
  return true;
}

std::optional<Tensor> Importer::float_constant(ValueId id) const {
  const Binding* held = find(id);
  if (held && held->kind == Binding::Kind::Constant && held->dequantized) {
    return octet::dequantize(*held->integers, held->grid.params);
  }
  if (!held && file_.is_constant(id)) return file_.value(id).constant;
  return std::nullopt;
}

void Importer::quantize(const Node& node) {
  const ValueId in = node.inputs.at(0);
  const ValueId out = node.outputs.at(0);
  const auto maker = file_.producer(in);
  // ONNX Runtime computes an operator of several results on integers when all of them are
  // quantized.
  const bool part = maker && file_.node(*maker).outputs.size() > 1;
  if (file_.users(out).empty() && !file_.is_output(out) && !part) {
    fail(Code::Model, "{}: nobody dequantizes its integers '{}'", describe(node),
         file_.value(out).name);
  }
  const std::optional<Tensor> constant = float_constant(in);
  GridInputs inputs{.scale = 1,
                    .zero_point = 2,
                    .tensor = file_.value(in).name,
                    .type = std::nullopt,
                    .shape = constant ? &constant->shape : nullptr,
                    .axis = node.integer("axis", 1),
                    .axis_is_given = node.has("axis")};
  const FileGrid grid = read_grid(file_, node, inputs);
  Binding made{.kind = Binding::Kind::Integers, .grid = grid};
  if (constant) {
    made.kind = Binding::Kind::Constant;
    made.integers = std::make_shared<const Tensor>(octet::quantize(*constant, grid.params));
    made.name = inputs.tensor;
    return bind(out, std::move(made));
  }
  made.id = real(node, in);
  const QuantParams* known = made_.given.find(made.id);
  if (known && !same_grid(*known, grid.params)) {
    const ValueId copy = made_.graph.add_op("Clip", file_.value(out).name, {made.id});
    if (!find(in)->dequantized) made_.second_grids.emplace_back(made.id, copy);
    made.id = copy;
    known = nullptr;
  }
  if (!known) made_.given.set(made.id, grid.params);
  bind(out, std::move(made));
}

void Importer::dequantize(const Node& node) {
  const ValueId in = node.inputs.at(0);
  const Binding* held = find(in);
  const Tensor* stored = stored_integers(in);
  if (held && held->kind == Binding::Kind::Real) {
    fail(Code::Unsupported,
         "{}: its input '{}' is made by an operator that octet does not know "
         "to compute with integers",
         describe(node), file_.value(in).name);
  }
  GridInputs inputs{.scale = 1,
                    .zero_point = 2,
                    .tensor = file_.value(in).name,
                    .type = held     ? std::optional(held->grid.type)
                            : stored ? std::optional(stored->dtype)
                                     : std::nullopt,
                    .shape = stored ? &stored->shape : nullptr,
                    .axis = node.integer("axis", 1),
                    .axis_is_given = node.has("axis")};
  const FileGrid grid = read_grid(file_, node, inputs);
  Binding made{.grid = grid, .dequantized = true};
  if (stored) {
    made.kind = Binding::Kind::Constant;
    made.integers = held ? held->integers : std::make_shared<const Tensor>(moved(*stored));
    made.name = held ? held->name : inputs.tensor;
  } else {
    made.id = on_grid(node, bound_.at(in), grid);
  }
  bind(node.outputs.at(0), std::move(made));
}

}  // namespace octet
