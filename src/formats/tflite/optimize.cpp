#include "formats/tflite/optimize.h"

#include <algorithm>
#include <format>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "base/fail.h"
#include "formats/tflite/layout.h"
#include "formats/tflite/view.h"

namespace octet::lite {
namespace {

/// What TFLite 2.14's TRANSPOSE takes.
constexpr size_t kMostDimensions = 6;

class Mover {
 public:
  explicit Mover(LiteModel& model) : model_(model) {}

  void run() {
    std::vector<LiteOp> old = std::move(model_.ops);
    model_.ops.clear();
    note_readers(old);
    for (LiteOp& op : old) {
      for (int& input : op.inputs) input = alias(input);
      if (moves(op)) {
        visit(std::move(op));
      } else if (op.code == tflite::BuiltinOperator_FULLY_CONNECTED) {
        visit_fully_connected(std::move(op));
      } else {
        if (op.code == tflite::BuiltinOperator_BATCH_MATMUL) take_in_transposes(op);
        model_.ops.push_back(std::move(op));
      }
    }
    for (int& output : model_.outputs) output = alias(output);
  }

 private:
  static bool moves(const LiteOp& op) {
    return op.code == tflite::BuiltinOperator_RESHAPE ||
           op.code == tflite::BuiltinOperator_TRANSPOSE;
  }
  const Shape& shape(int tensor) const { return model_.tensor(tensor).shape; }
  int alias(int tensor) const {
    const auto it = aliases_.find(tensor);
    return it == aliases_.end() ? tensor : it->second;
  }
  View view_of(int tensor) const {
    const auto it = views_.find(tensor);
    return it == views_.end() ? whole(tensor, shape(tensor)) : it->second;
  }

  void note_readers(const std::vector<LiteOp>& ops) {
    for (const LiteOp& op : ops) {
      for (const int input : op.inputs) ++readers_[input];
    }
    for (const int output : model_.outputs) ++readers_[output];
  }

  std::optional<View> after(const View& view, const LiteOp& op) const {
    if (op.code == tflite::BuiltinOperator_RESHAPE) return reshaped(view, shape(op.outputs[0]));
    return turned(view, shape(op.inputs[0]), numbers_of(model_.tensor(op.inputs[1])));
  }

  void visit(LiteOp op) {
    const int out = op.outputs[0];
    std::optional<View> view = after(view_of(op.inputs[0]), op);
    if (!view) view = after(whole(op.inputs[0], shape(op.inputs[0])), op);
    if (!view) return model_.ops.push_back(std::move(op));
    if (view->contiguous()) {
      reshape(view->source, out);
    } else if (!rewrite(*view, op)) {
      model_.ops.push_back(std::move(op));
    }
    if (alias(out) == out) views_[out] = std::move(*view);
  }

  void reshape(int source, int out) {
    if (shape(source) == shape(out)) {
      aliases_[out] = source;
    } else {
      model_.ops.push_back(reshape_op(model_, source, out));
    }
  }

  Turn turn_to(const View& view, int out) const {
    return turn_of(view, leads_with_one(view.source) && leads_with_one(out));
  }
  /// How many operators a turn takes.
  size_t length(const View& view, const Turn& turn, int out) const {
    return 1U + (shape(view.source) != turn.factors ? 1U : 0U) +
           (shape(out) != turn.turned ? 1U : 0U);
  }

  /// RESHAPE, TRANSPOSE, RESHAPE with as few of them, and of dimensions, as can be.
  bool rewrite(const View& view, const LiteOp& op) {
    const int out = op.outputs[0];
    const Turn turn = turn_to(view, out);
    const size_t ops = length(view, turn, out);
    const size_t given = shape(op.inputs[0]).size();
    const bool shorter =
        ops < view.ops || view.transposes > 1 || (ops == view.ops && turn.factors.size() < given);
    const bool demanded = op.code == tflite::BuiltinOperator_TRANSPOSE && given > kMostDimensions;
    if (turn.factors.size() > kMostDimensions || !(shorter || demanded)) return false;
    emit(view, turn, out);
    return true;
  }

  void emit(const View& view, const Turn& turn, int out) {
    const int from = shape(view.source) == turn.factors ? view.source : split(view.source, turn);
    const int to = shape(out) == turn.turned ? out : step(out, "/turned", turn.turned);
    model_.ops.push_back(transpose_op(model_, from, to, turn.permutation));
    if (to != out) model_.ops.push_back(reshape_op(model_, to, out));
  }

  /// The source in the factors of a turn; several turns of one source share it.
  int split(int source, const Turn& turn) {
    const auto [slot, fresh] = splits_.try_emplace({source, turn.factors}, 0);
    if (fresh) {
      slot->second = step(source, "/split", turn.factors);
      model_.ops.push_back(reshape_op(model_, source, slot->second));
    }
    return slot->second;
  }

  /// FULLY_CONNECTED reads an input of any shape, so it needs no reshape to a matrix. It could keep
  /// the leading dimensions too, but with weights per channel TFLite's reference kernel (and what
  /// is made after it) then takes three dimensions for two.
  void visit_fully_connected(LiteOp op) {
    const View view = view_of(op.inputs[0]);
    const Shape& from = shape(view.source);
    const bool rows = !from.empty() && from.back() == shape(op.inputs[1]).back();
    if (view.contiguous() && rows) op.inputs[0] = view.source;
    model_.ops.push_back(std::move(op));
  }

  /// BATCH_MATMUL takes operands whose last two dimensions are exchanged: it is told so where that
  /// leaves less to be moved. The right operand it exchanges itself otherwise, which is worth a
  /// tie.
  void take_in_transposes(LiteOp& op) {
    auto& options = *op.options.AsBatchMatMulOptions();
    if (const auto other = exchanged(op.inputs[0], false)) {
      op.inputs[0] = *other;
      options.adj_x = !options.adj_x;
    }
    if (const auto other = exchanged(op.inputs[1], true)) {
      op.inputs[1] = *other;
      options.adj_y = !options.adj_y;
    }
  }

  std::optional<int> exchanged(int tensor, bool wins_ties) {
    const auto known = views_.find(tensor);
    if (known == views_.end() || known->second.contiguous()) return std::nullopt;
    const View view = known->second;
    const Shape& from = shape(tensor);
    std::vector<int64_t> swap(from.size());
    std::ranges::iota(swap, 0);
    std::swap(swap[swap.size() - 1], swap[swap.size() - 2]);
    const auto other = turned(view, from, swap);
    if (!other) return std::nullopt;
    const Shape wanted = permuted(from, swap);
    if (other->contiguous()) {
      if (shape(other->source) == wanted) return other->source;
      const int made = exchanged_step(tensor, wanted);
      model_.ops.push_back(reshape_op(model_, other->source, made));
      return made;
    }
    return turned_instead(tensor, *other, wanted, wins_ties);
  }

  /// Only where nobody else needs the operand as it is, and it costs no more.
  std::optional<int> turned_instead(int tensor, const View& other, const Shape& wanted,
                                    bool wins_ties) {
    if (readers_[tensor] != 1) return std::nullopt;
    const View& view = views_.at(tensor);
    const size_t held = length(view, turn_to(view, tensor), tensor);
    const int made = exchanged_step(tensor, wanted);
    const Turn turn = turn_to(other, made);
    const size_t cost = length(other, turn, made);
    if (turn.factors.size() > kMostDimensions || cost > held || (cost == held && !wins_ties)) {
      return std::nullopt;
    }
    emit(other, turn, made);
    return made;
  }

  bool leads_with_one(int tensor) const { return !shape(tensor).empty() && shape(tensor)[0] == 1; }
  int step(int out, const char* suffix, const Shape& to) {
    LiteTensor tensor = model_.tensor(out);
    tensor.name += suffix;
    tensor.shape = to;
    tensor.data.clear();
    return model_.add(std::move(tensor));
  }

  int exchanged_step(int tensor, const Shape& to) {
    const int made = step(tensor, "/exchanged", to);
    model_.tensor(made).value.clear();
    return made;
  }

  LiteModel& model_;
  std::map<int, View> views_;
  std::map<int, int> aliases_;
  std::map<std::pair<int, Shape>, int> splits_;
  std::map<int, int> readers_;  ///< before anything was changed
};

void check_transposes(const LiteModel& model) {
  for (const LiteOp& op : model.ops) {
    const LiteTensor& out = model.tensor(op.outputs[0]);
    if (op.code != tflite::BuiltinOperator_TRANSPOSE || out.shape.size() <= kMostDimensions) {
      continue;
    }
    fail(Code::Unsupported, "tflite: '{}' is transposed in {} dimensions; TFLite takes at most {}",
         out.name, out.shape.size(), kMostDimensions);
  }
}

void drop_dead_ops(LiteModel& model) {
  std::vector<bool> read(model.tensors.size(), false);
  for (const int tensor : model.outputs) read[static_cast<size_t>(tensor)] = true;
  std::vector<LiteOp> live;
  for (auto op = model.ops.rbegin(); op != model.ops.rend(); ++op) {
    const bool used = std::ranges::any_of(
        op->outputs, [&](int tensor) { return read[static_cast<size_t>(tensor)]; });
    if (!used) continue;
    for (const int tensor : op->inputs) read[static_cast<size_t>(tensor)] = true;
    live.push_back(std::move(*op));
  }
  std::ranges::reverse(live);
  model.ops = std::move(live);
}

/// Tensors that are used, numbered in the order in which operators name them.
void drop_dead_tensors(LiteModel& model) {
  std::map<int, int> index;
  std::vector<LiteTensor> live;
  const auto renumber = [&](std::vector<int>& tensors) {
    for (int& tensor : tensors) {
      const auto [it, fresh] = index.try_emplace(tensor, static_cast<int>(live.size()));
      if (fresh) live.push_back(std::move(model.tensor(tensor)));
      tensor = it->second;
    }
  };
  renumber(model.inputs);
  for (LiteOp& op : model.ops) {
    renumber(op.inputs);
    renumber(op.outputs);
  }
  renumber(model.outputs);
  model.tensors = std::move(live);
  std::erase_if(model.values, [&](const LiteValue& held) { return !index.contains(held.tensor); });
  for (LiteValue& held : model.values) held.tensor = index.at(held.tensor);
}

/// Constants that differ in nothing but their names are one, unless both are values of the graph.
void merge_constants(LiteModel& model) {
  using Key = std::tuple<DType, Shape, std::vector<float>, std::vector<int32_t>, int, std::string,
                         std::vector<std::byte>>;
  std::map<Key, int> first;
  std::map<int, int> same;
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    const LiteTensor& held = model.tensors[i];
    if (held.data.empty()) continue;
    const auto index = static_cast<int>(i);
    same[index] = first
                      .try_emplace({held.type, held.shape, held.scale, held.zero_point, held.axis,
                                    held.value, held.data},
                                   index)
                      .first->second;
  }
  for (LiteOp& op : model.ops) {
    for (int& input : op.inputs) {
      if (const auto it = same.find(input); it != same.end()) input = it->second;
    }
  }
}

/// Names are the values', each given once: to the tensor that was made for the value, or to another
/// one with its integers. What is left over gets numbers.
void name_tensors(LiteModel& model) {
  std::map<std::string, LiteTensor*> named;
  for (const bool made_for_it : {true, false}) {
    for (LiteTensor& tensor : model.tensors) {
      if (tensor.value.empty() || (tensor.name == tensor.value) != made_for_it) continue;
      named.try_emplace(tensor.value, &tensor);
    }
  }
  std::unordered_map<std::string, int> used;  // with the number that was tried last
  for (const auto& [name, tensor] : named) {
    tensor->name = name;
    used[name];
  }
  for (LiteTensor& tensor : model.tensors) {
    const auto it = named.find(tensor.value);
    if (it != named.end() && it->second == &tensor) continue;
    if (tensor.name == tensor.value) tensor.name += "/layout";
    const std::string wanted = tensor.name;
    while (!used.try_emplace(tensor.name, 0).second) {
      tensor.name = std::format("{}_{}", wanted, ++used[wanted]);
    }
  }
}

}  // namespace

void optimize(LiteModel& model) {
  Mover(model).run();
  drop_dead_ops(model);
  check_transposes(model);
  merge_constants(model);
  drop_dead_tensors(model);
  name_tensors(model);
}

}  // namespace octet::lite
