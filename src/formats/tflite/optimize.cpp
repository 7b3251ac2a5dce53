#include "formats/tflite/optimize.h"

#include <algorithm>
#include <format>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "formats/tflite/layout.h"

namespace octet::lite {
namespace {

/// A run of elements of the source: `size` of them, `stride` apart.
struct Atom {
  int64_t size;
  int64_t stride;
};
/// Row-major order of a tensor's elements in terms of its source; atoms of size one are left out.
using Atoms = std::vector<Atom>;

Atoms merged(const Atoms& atoms) {
  Atoms out;
  for (const Atom& atom : atoms) {
    if (atom.size == 1) continue;
    if (!out.empty() && out.back().stride == atom.size * atom.stride) {
      out.back() = {out.back().size * atom.size, atom.stride};
    } else {
      out.push_back(atom);
    }
  }
  return out;
}

/// The atoms of every dimension of `shape`; nullopt when a dimension cuts through an atom unevenly.
std::optional<std::vector<Atoms>> divided(const Atoms& atoms, const Shape& shape) {
  std::vector<Atoms> out;
  Atoms rest(atoms.rbegin(), atoms.rend());  // the next atom is the last
  for (const int64_t dim : shape) {
    Atoms& own = out.emplace_back();
    int64_t left = dim;
    while (left > 1) {
      if (rest.empty()) return std::nullopt;
      Atom& next = rest.back();
      if (left % next.size == 0) {
        left /= next.size;
        own.push_back(next);
        rest.pop_back();
      } else if (next.size % left == 0) {
        next.size /= left;
        own.push_back({left, next.size * next.stride});
        left = 1;
      } else {
        return std::nullopt;
      }
    }
  }
  return rest.empty() ? std::optional(out) : std::nullopt;
}

/// How a tensor comes from another by transposes and reshapes.
struct View {
  int source = 0;
  Atoms atoms;
  size_t ops = 0;         ///< length of the chain
  size_t transposes = 0;  ///< of which transposes
};

class Mover {
 public:
  explicit Mover(LiteModel& model) : model_(model) {}

  void run() {
    std::vector<LiteOp> old = std::move(model_.ops);
    model_.ops.clear();
    for (LiteOp& op : old) {
      for (int& input : op.inputs) input = alias(input);
      if (moves(op)) {
        visit(std::move(op));
      } else {
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
  int alias(int tensor) const {
    const auto it = aliases_.find(tensor);
    return it == aliases_.end() ? tensor : it->second;
  }
  View whole(int tensor) const {
    return {.source = tensor, .atoms = merged({{element_count(model_.tensor(tensor).shape), 1}})};
  }

  std::optional<View> after(View view, const LiteOp& op) const {
    const bool transposes = op.code == tflite::BuiltinOperator_TRANSPOSE;
    const int shaped = transposes ? op.inputs[0] : op.outputs[0];
    const auto dims = divided(view.atoms, model_.tensor(shaped).shape);
    if (!dims) return std::nullopt;
    Atoms atoms;
    std::vector<int64_t> order(dims->size());
    std::ranges::iota(order, 0);
    if (transposes) order = numbers_of(model_.tensor(op.inputs[1]));
    for (const int64_t d : order) atoms.append_range((*dims)[static_cast<size_t>(d)]);
    view.atoms = merged(atoms);
    ++view.ops;
    view.transposes += transposes ? 1 : 0;
    return view;
  }

  void visit(LiteOp op) {
    const int out = op.outputs[0];
    const auto known = views_.find(op.inputs[0]);
    std::optional<View> view;
    if (known != views_.end()) view = after(known->second, op);
    if (!view) view = after(whole(op.inputs[0]), op);
    if (!view) return model_.ops.push_back(std::move(op));
    if (view->atoms.size() <= 1) {
      reshape(view->source, out);
    } else if (!rewrite(*view, out)) {
      model_.ops.push_back(std::move(op));
    }
    if (alias(out) == out) views_[out] = std::move(*view);
  }

  void reshape(int source, int out) {
    if (model_.tensor(source).shape == model_.tensor(out).shape) {
      aliases_[out] = source;
    } else {
      model_.ops.push_back(reshape_op(model_, source, out));
    }
  }

  /// RESHAPE, TRANSPOSE, RESHAPE with as few of them as can be, when that is shorter.
  bool rewrite(const View& view, int out) {
    std::vector<size_t> by_stride(view.atoms.size());  // the order of the source
    std::ranges::iota(by_stride, size_t{0});
    std::ranges::sort(by_stride, std::greater{}, [&](size_t i) { return view.atoms[i].stride; });
    Shape factors;
    std::vector<int64_t> permutation(view.atoms.size());
    const bool batch = leads_with_one(view.source) && leads_with_one(out);
    if (batch) factors.push_back(1);
    for (size_t i = 0; i < by_stride.size(); ++i) {
      permutation[by_stride[i]] = static_cast<int64_t>(factors.size());
      factors.push_back(view.atoms[by_stride[i]].size);
    }
    if (batch) permutation.insert(permutation.begin(), 0);
    const Shape turned = permuted(factors, permutation);
    const bool before = model_.tensor(view.source).shape != factors;
    const bool behind = model_.tensor(out).shape != turned;
    const size_t ops = 1 + (before ? 1 : 0) + (behind ? 1 : 0);
    if (factors.size() > 6 || (view.transposes < 2 && ops >= view.ops)) return false;
    const int from = before ? step(out, "/split", factors) : view.source;
    if (before) model_.ops.push_back(reshape_op(model_, view.source, from));
    const int to = behind ? step(out, "/turned", turned) : out;
    model_.ops.push_back(transpose_op(model_, from, to, permutation));
    if (behind) model_.ops.push_back(reshape_op(model_, to, out));
    return true;
  }

  bool leads_with_one(int tensor) const {
    const Shape& shape = model_.tensor(tensor).shape;
    return !shape.empty() && shape[0] == 1;
  }
  int step(int out, const char* suffix, const Shape& shape) {
    LiteTensor tensor = model_.tensor(out);
    tensor.name += suffix;
    tensor.shape = shape;
    return model_.add(std::move(tensor));
  }

  LiteModel& model_;
  std::map<int, View> views_;
  std::map<int, int> aliases_;
};

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
}

void make_names_unique(LiteModel& model) {
  std::set<std::string> names;
  for (LiteTensor& tensor : model.tensors) {
    const std::string wanted = tensor.name;
    for (int n = 1; !names.insert(tensor.name).second; ++n) {
      tensor.name = std::format("{}_{}", wanted, n);
    }
  }
}

}  // namespace

void optimize(LiteModel& model) {
  Mover(model).run();
  drop_dead_ops(model);
  drop_dead_tensors(model);
  make_names_unique(model);
}

}  // namespace octet::lite
