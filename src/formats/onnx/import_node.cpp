// Operators of the default domain, on real numbers and on integers.
#include <algorithm>
#include <array>

#include "base/fail.h"
#include "formats/onnx/importer.h"
#include "graph/quantize_tensor.h"
#include "ops/op_def.h"

namespace octet {
namespace {

/// Row-major copy with the dimensions in another order.
template <class T>
Tensor turned(const Tensor& from, std::span<const int64_t> order) {
  const size_t rank = from.shape.size();
  Shape shape(rank);
  std::vector<int64_t> step(rank, 1);  // of the source, by dimension
  for (size_t d = rank; d-- > 1;) step[d - 1] = step[d] * from.shape[d];
  for (size_t d = 0; d < rank; ++d) shape[d] = from.shape[static_cast<size_t>(order[d])];
  Tensor out(from.dtype, shape);
  const auto source = from.as<T>();
  const auto target = out.as<T>();
  for (size_t i = 0; i < target.size(); ++i) {
    auto rest = static_cast<int64_t>(i);
    int64_t at = 0;
    for (size_t d = rank; d-- > 0;) {
      at += rest % shape[d] * step[static_cast<size_t>(order[d])];
      rest /= shape[d];
    }
    target[i] = source[static_cast<size_t>(at)];
  }
  return out;
}

/// Numbers of the file among integers of type `type`, as integers of our grid: operators on
/// integers may want them wider.
Tensor ours(const Tensor& numbers, DType type) {
  if (numbers.dtype != DType::Int32) return moved(numbers);
  Tensor out(DType::Int8, numbers.shape);
  const int32_t moved_by = type == DType::UInt8 ? 128 : 0;
  std::ranges::transform(numbers.as<int32_t>(), out.as<int8_t>().begin(), [&](int32_t q) {
    return static_cast<int8_t>(std::clamp<int64_t>(int64_t{q} - moved_by, -128, 127));
  });
  return out;
}

}  // namespace

void Importer::copy(const Node& node) {
  std::vector<ValueId> inputs;
  for (const ValueId in : node.inputs) inputs.push_back(real(node, in));
  add_node(node, node.op, std::move(inputs), node.attributes);
  const Node& made = made_.graph.node(made_.graph.order().back());
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == kAbsent) continue;
    bind(node.outputs[i], {.kind = Binding::Kind::Real, .id = made.outputs[i]});
  }
}

/// A weight that is transposed after it is dequantized: so are its integers.
bool Importer::turn_constant(const Node& node) {
  const Binding* held = node.op == "Transpose" ? find(node.inputs[0]) : nullptr;
  if (!held || held->kind != Binding::Kind::Constant) return false;
  const auto rank = static_cast<int64_t>(held->integers->shape.size());
  std::vector<int64_t> order = node.integers("perm");
  for (int64_t d = rank - 1; order.size() < static_cast<size_t>(rank); --d) order.push_back(d);
  Binding made = *held;
  made.integers = std::make_shared<const Tensor>(held->integers->dtype == DType::Int32
                                                     ? turned<int32_t>(*held->integers, order)
                                                     : turned<int8_t>(*held->integers, order));
  int& axis = made.grid.params.axis;
  if (axis >= 0) axis = static_cast<int>(std::ranges::find(order, axis) - order.begin());
  bind(node.outputs[0], std::move(made));
  return true;
}

/// An operator that takes the integers themselves; all of its operands are on one grid.
void Importer::on_integers(const Node& node) {
  Binding held;
  for (const ValueId in : node.inputs) {
    const Binding* other = is_integers(in) ? find(in) : nullptr;
    if (other) held = *other;
    if (held.kind == Binding::Kind::Integers) break;
  }
  const OpDef* op = find_op(node.op);
  if (node.op == "Clip") return clip_integers(node, held);
  const bool moves = op && std::holds_alternative<Moves>(op->quant.value);
  if (moves || node.op == "Max" || node.op == "Min" || node.op == "Resize") {
    return move_integers(node, held);
  }
  fail(Code::Unsupported, "{}: it computes with the integers '{}', which octet cannot follow",
       describe(node),
       held.kind == Binding::Kind::Constant ? held.name : made_.graph.value(held.id).name);
}

/// The value that stands for integers on the grid of others.
ValueId Importer::integers_like(const Node& node, ValueId id, const Binding& like) {
  const auto it = bound_.find(id);
  if (it == bound_.end()) {
    return add_constant(file_.value(id).name, ours(*file_.value(id).constant, like.grid.type),
                        like.grid.params);
  }
  if (it->second.kind == Binding::Kind::Constant) {
    return add_constant(it->second.name, *it->second.integers, like.grid.params);
  }
  if (it->second.kind == Binding::Kind::Real) {
    fail(Code::Model, "{}: its input '{}' is no integers", describe(node), file_.value(id).name);
  }
  return on_grid(node, it->second, like.grid);
}

void Importer::move_integers(const Node& node, const Binding& held) {
  if (held.kind == Binding::Kind::Constant) {
    fail(Code::Unsupported,
         "{}: it moves the integers of the constant '{}', which octet cannot "
         "follow",
         describe(node), held.name);
  }
  const OpDef& op = *find_op(node.op);
  const auto* moves = std::get_if<Moves>(&op.quant.value);
  const size_t fill = moves ? moves->fill : 0;
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId in = node.inputs[i];
    if (in != kAbsent && fill > 0 && i == fill) {
      const Tensor* number = file_.constant_input(node, i);
      if (!number)
        fail(Code::Unsupported, "{}: it is filled with computed numbers", describe(node));
      const QuantParams& grid = held.grid.params;
      inputs.push_back(made_.graph.add_constant(
          file_.value(in).name, octet::dequantize(ours(*number, held.grid.type), grid)));
    } else if (in != kAbsent && i < op.data_inputs.value) {
      inputs.push_back(integers_like(node, in, held));
    } else {
      inputs.push_back(real(node, in));
    }
  }
  add_node(node, node.op, std::move(inputs), node.attributes);
  const std::vector<ValueId> made = made_.graph.node(made_.graph.order().back()).outputs;
  for (size_t i = 0; i < made.size(); ++i) {
    if (made[i] == kAbsent) continue;
    made_.given.set(made[i], held.grid.params);
    bind(node.outputs[i], {.kind = Binding::Kind::Integers, .id = made[i], .grid = held.grid});
  }
}

/// Integers that are kept within bounds: fewer bits, a narrow range, or an activation.
void Importer::clip_integers(const Node& node, const Binding& held) {
  std::array<int32_t, 2> bounds{held.grid.params.low, held.grid.params.high};
  for (size_t i = 0; i < 2; ++i) {
    if (node.input(i + 1) == kAbsent) continue;
    const Tensor* number = file_.constant_input(node, i + 1);
    if (!number) fail(Code::Unsupported, "{}: its bounds are no constants", describe(node));
    bounds[i] = held.grid.type == DType::Int32 ? number->as<int32_t>()[0]
                                               : ours(*number, held.grid.type).as<int8_t>()[0];
  }
  Binding made = held;
  if (held.kind == Binding::Kind::Constant) {
    Tensor clipped = *held.integers;
    if (clipped.dtype == DType::Int32) {
      for (int32_t& q : clipped.as<int32_t>()) q = std::clamp(q, bounds[0], bounds[1]);
    } else {
      for (int8_t& q : clipped.as<int8_t>()) {
        q = static_cast<int8_t>(std::clamp<int32_t>(q, bounds[0], bounds[1]));
      }
    }
    made.integers = std::make_shared<const Tensor>(std::move(clipped));
  } else if (bounds[0] > held.grid.params.low || bounds[1] < held.grid.params.high) {
    const Grid grid = grid_of(held.grid.params);
    std::vector<ValueId> inputs{held.id};
    const bool low = bounds[0] > grid.low;
    inputs.push_back(
        low ? made_.graph.add_constant(node.name + "/low",
                                       Tensor::scalar(octet::dequantize(bounds[0], grid)))
            : kAbsent);
    if (bounds[1] < grid.high) {
      inputs.push_back(made_.graph.add_constant(
          node.name + "/high", Tensor::scalar(octet::dequantize(bounds[1], grid))));
    }
    made.id = add_node(node, "Clip", std::move(inputs), {});
    made_.given.set(made.id, held.grid.params);
  }
  bind(node.outputs[0], std::move(made));
}

/// Integers in a row on their way to a table (Reshape to [-1], Cast, GatherElements), and the shape
/// that its results get back: the table is as good without them.
bool Importer::in_row(const Node& node) {
  if (in_rows_.contains(&node)) return true;
  const Binding* held = node.inputs.empty() ? nullptr : find(node.inputs[0]);
  if (!held || held->kind != Binding::Kind::Integers) return false;
  const auto read_by = [&](std::string_view op) {
    const std::vector<NodeId> users = file_.users(node.outputs[0]);
    return !users.empty() &&
           std::ranges::all_of(users, [&](NodeId user) { return file_.node(user).op == op; });
  };
  const Tensor* shape = node.op == "Reshape" ? file_.constant_input(node, 1) : nullptr;
  const bool flat = shape && shape->shape == Shape{1} && shape->as<int64_t>()[0] == -1;
  if (flat && read_by("Cast")) {
    bind(node.outputs[0], *held);
    return true;
  }
  if (node.op != "Shape" || !read_by("Reshape")) return false;
  for (const NodeId user : file_.users(node.outputs[0])) {
    const auto maker = file_.producer(file_.node(user).inputs[0]);
    if (!maker || file_.node(*maker).op != "GatherElements") return false;
  }
  return true;
}

/// A table of 256 integers that integers look up becomes the real number at the place of the
/// source's integer: a function of one number, which placement knows for a table.
bool Importer::look_up(const Node& node) {
  const bool in_a_row = node.op == "GatherElements";
  const Binding* held = node.op == "Gather" || in_a_row ? find(node.inputs.at(1)) : nullptr;
  const Tensor* table = held ? file_.constant_input(node, 0) : nullptr;
  if (!table || held->kind != Binding::Kind::Integers) return false;
  const bool bytes = table->dtype == DType::UInt8 || table->dtype == DType::Int8;
  if (!bytes || table->shape != Shape{256} || held->grid.type != DType::UInt8) {
    fail(Code::Unsupported,
         "{}: '{}' indexes what is no table of 256 integers by uint8, which octet cannot follow",
         describe(node), made_.graph.value(held->id).name);
  }
  const std::vector<NodeId> users = file_.users(node.outputs[0]);
  const Node* after = &node;
  if (in_a_row) {
    if (users.size() != 1 || file_.node(users[0]).op != "Reshape") return false;
    after = &file_.node(users[0]);
    const auto shape = file_.producer(after->input(1));
    const Binding* shaped =
        shape && file_.node(*shape).op == "Shape" ? find(file_.node(*shape).inputs[0]) : nullptr;
    if (!shaped || shaped->id != held->id) return false;
    in_rows_.insert(after);
  }
  Graph& graph = made_.graph;
  const Grid source = grid_of(held->grid.params);
  const FileGrid grid = grid_by_reader(after->outputs[0]);
  const auto number = [&](const char* what, float real) {
    return graph.add_constant(node.name + what, Tensor::scalar(real));
  };
  const auto add = [&](const char* op, const char* what, std::vector<ValueId> inputs,
                       std::map<std::string, Attribute> attributes = {}) {
    return graph.add_op(op, node.name + what, std::move(inputs), std::move(attributes));
  };
  constexpr int64_t kInt64 = 7;  // TensorProto's
  const ValueId steps = add("Mul", "/steps", {held->id, number("/per step", 1 / source.scale)});
  const ValueId place = add("Add", "/place",
                            {add("Round", "/whole", {steps}),
                             number("/zero", static_cast<float>(source.zero_point + 128))});
  const ValueId inside = add("Clip", "/inside", {place, number("/first", 0), number("/last", 255)});
  const ValueId index = add("Cast", "/index", {inside}, {{"to", kInt64}});
  const ValueId entries =
      graph.add_constant(node.name + "/entries", octet::dequantize(moved(*table), grid.params));
  made_.table_places.push_back(index);
  result(*after, "Gather", {entries, index}, {}, grid);
  return true;
}

}  // namespace octet
