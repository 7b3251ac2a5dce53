// What a value of the file is in the new graph.
#include <algorithm>

#include "base/fail.h"
#include "formats/onnx/importer.h"
#include "graph/quantize_tensor.h"

namespace octet {

/// The value of integers as the node takes them: on their own grid, or on another scale.
ValueId Importer::on_grid(const Node& node, const Binding& held, const FileGrid& grid) {
  return same_grid(held.grid.params, grid.params) ? held.id : rescaled(node, held, grid);
}

std::optional<FileGrid> Importer::find_grid_by_reader(ValueId id, std::set<ValueId>& seen) const {
  if (!seen.insert(id).second) return std::nullopt;
  const auto rows = import_rows();
  for (const NodeId user : file_.users(id)) {
    const Node& node = file_.node(user);
    // The scale and the zero point of an operand follow it.
    const auto operand =
        static_cast<size_t>(std::ranges::find(node.inputs, id) - node.inputs.begin());
    const GridInputs inputs{.scale = operand + 1,
                            .zero_point = operand + 2,
                            .tensor = file_.value(id).name,
                            .type = std::nullopt,
                            .shape = nullptr};
    if (node.op == "DequantizeLinear" || std::ranges::contains(rows, node.op, &ImportRow::op)) {
      return read_grid(file_, node, inputs);
    }
    for (const ValueId out : node.outputs) {  // it moves them
      if (auto found = find_grid_by_reader(out, seen)) return found;
    }
  }
  return std::nullopt;
}

FileGrid Importer::grid_by_reader(ValueId id) const {
  std::set<ValueId> seen;
  if (auto found = find_grid_by_reader(id, seen)) return std::move(*found);
  fail(Code::Unsupported, "nobody dequantizes the integers '{}'", file_.value(id).name);
}

ValueId Importer::rescaled(const Node& node, const Binding& held, const FileGrid& wanted) {
  const QuantParams& own = held.grid.params;
  const QuantParams& grid = wanted.params;
  if (own.zero_point != grid.zero_point) {
    fail(Code::Unsupported,
         "{}: it takes the integers of '{}' for others than they are: their zero point is {}, not "
         "{}",
         describe(node), made_.graph.value(held.id).name, own.zero_point[0], grid.zero_point[0]);
  }
  const auto [slot, fresh] = rescaled_.try_emplace({held.id, grid.scale[0]}, kAbsent);
  if (!fresh) return slot->second;
  const ValueId factor =
      made_.graph.add_constant(node.name + "/factor", Tensor::scalar(grid.scale[0] / own.scale[0]));
  slot->second = made_.graph.add_op("Mul", node.name, {held.id, factor});
  made_.given.set(slot->second, grid);
  return slot->second;
}

ValueId Importer::add_constant(const std::string& name, const Tensor& integers,
                               const QuantParams& grid) {
  const ValueId id = made_.graph.add_constant(name, octet::dequantize(integers, grid));
  made_.given.set(id, grid);
  return id;
}

ValueId Importer::real(const Node& node, ValueId id) {
  if (id == kAbsent) return kAbsent;
  const Binding* held = find(id);
  if (!held) {
    const ValueId made = made_.graph.add_constant(file_.value(id).name, *file_.value(id).constant);
    bind(id, {.kind = Binding::Kind::Real, .id = made});
    return made;
  }
  if (held->kind == Binding::Kind::Real) return held->id;
  if (held->kind == Binding::Kind::Constant && held->dequantized) {
    return add_constant(held->name, *held->integers, held->grid.params);
  }
  fail(Code::Unsupported, "{}: it computes with the integers '{}', which octet cannot follow",
       describe(node), file_.value(id).name);
}

FileGrid Importer::operand_grid(const Node& node, size_t operand, size_t scale,
                                int64_t axis) const {
  const ValueId id = node.inputs.at(operand);
  const Binding* held = find(id);
  const Tensor* stored = stored_integers(id);
  std::optional<DType> type;
  if (held) {
    type = held->grid.type;
  } else if (stored) {
    type = stored->dtype;
  }
  return read_grid(file_, node,
                   {.scale = scale,
                    .zero_point = scale + 1,
                    .tensor = file_.value(id).name,
                    .type = type,
                    .shape = stored ? &stored->shape : nullptr,
                    .axis = axis});
}

FileGrid Importer::result_grid(const Node& node, size_t scale) const {
  return read_grid(file_, node,
                   {.scale = scale,
                    .zero_point = scale + 1,
                    .tensor = file_.value(node.outputs.at(0)).name,
                    .type = std::nullopt,
                    .shape = nullptr});
}

ValueId Importer::operand(const Node& node, size_t index, const FileGrid& grid) {
  const ValueId id = node.inputs.at(index);
  const auto it = bound_.find(id);
  if (it == bound_.end())
    return add_constant(file_.value(id).name, moved(*file_.value(id).constant), grid.params);
  const Binding& held = it->second;
  if (held.kind == Binding::Kind::Constant)
    return add_constant(held.name, *held.integers, grid.params);
  if (held.kind != Binding::Kind::Real) return on_grid(node, held, grid);
  fail(Code::Model, "{}: its input '{}' is no integers", describe(node), file_.value(id).name);
}

ValueId Importer::bias(const Node& node, size_t index, const FileGrid& input,
                       const FileGrid& weight, float factor) {
  const ValueId id = node.input(index);
  if (id == kAbsent) return kAbsent;
  const Tensor* integers = stored_integers(id);
  if (!integers || integers->dtype != DType::Int32) {
    fail(Code::Unsupported, "{}: its bias '{}' is no constant of int32", describe(node),
         file_.value(id).name);
  }
  QuantParams grid = weight.params;
  grid.type = DType::Int32;
  grid.low = static_cast<int32_t>(lowest(DType::Int32));
  grid.high = static_cast<int32_t>(highest(DType::Int32));
  grid.axis = grid.per_tensor() ? -1 : static_cast<int>(integers->shape.size()) - 1;
  for (float& scale : grid.scale) scale *= factor * input.params.scale[0];
  std::ranges::fill(grid.zero_point, 0);
  return add_constant(file_.value(id).name, *integers, grid);
}

ValueId Importer::add_node(const Node& like, std::string op, std::vector<ValueId> inputs,
                           std::map<std::string, Attribute> attributes) {
  Node node{.name = like.name,
            .op = std::move(op),
            .inputs = std::move(inputs),
            .outputs = {},
            .attributes = std::move(attributes)};
  for (const ValueId out : like.outputs) {
    node.outputs.push_back(out == kAbsent ? kAbsent : made_.graph.add_value(file_.value(out).name));
  }
  const NodeId id = made_.graph.add_node(std::move(node));
  return made_.graph.node(id).outputs[0];
}

void Importer::result(const Node& node, std::string op, std::vector<ValueId> inputs,
                      std::map<std::string, Attribute> attributes, const FileGrid& grid) {
  const ValueId made = add_node(node, std::move(op), std::move(inputs), std::move(attributes));
  made_.given.set(made, grid.params);
  bind(node.outputs[0], {.kind = Binding::Kind::Integers, .id = made, .grid = grid});
}

}  // namespace octet
