#include "formats/tflite/view.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "formats/tflite/layout.h"

namespace octet::lite {
namespace {

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

}  // namespace

View whole(int source, const Shape& shape) {
  return {.source = source, .atoms = merged({{element_count(shape), 1}})};
}

std::optional<View> turned(const View& view, const Shape& shape,
                           std::span<const int64_t> permutation) {
  const auto dims = divided(view.atoms, shape);
  if (!dims) return std::nullopt;
  Atoms atoms;
  for (const int64_t d : permutation) atoms.append_range((*dims)[static_cast<size_t>(d)]);
  return View{view.source, merged(atoms), view.ops + 1, view.transposes + 1};
}

std::optional<View> reshaped(const View& view, const Shape& shape) {
  const auto dims = divided(view.atoms, shape);
  if (!dims) return std::nullopt;
  Atoms atoms;
  for (const Atoms& dim : *dims) atoms.append_range(dim);
  return View{view.source, merged(atoms), view.ops + 1, view.transposes};
}

Turn turn_of(const View& view, bool batch) {
  std::vector<size_t> by_stride(view.atoms.size());  // the order of the source
  std::ranges::iota(by_stride, size_t{0});
  std::ranges::sort(by_stride, std::greater{}, [&](size_t i) { return view.atoms[i].stride; });
  Turn turn;
  turn.permutation.resize(view.atoms.size());
  if (batch) turn.factors.push_back(1);
  for (size_t i = 0; i < by_stride.size(); ++i) {
    turn.permutation[by_stride[i]] = static_cast<int64_t>(turn.factors.size());
    turn.factors.push_back(view.atoms[by_stride[i]].size);
  }
  if (batch) turn.permutation.insert(turn.permutation.begin(), 0);
  turn.turned = permuted(turn.factors, turn.permutation);
  return turn;
}

}  // namespace octet::lite
