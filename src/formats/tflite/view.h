#pragma once

#include <optional>
#include <span>
#include <vector>

#include "graph/tensor.h"

namespace octet::lite {

/// A run of elements of the source: `size` of them, `stride` apart.
struct Atom {
  int64_t size;
  int64_t stride;
};
/// Row-major order of a tensor's elements in terms of its source; atoms of size one are left out,
/// and runs that follow each other are one.
using Atoms = std::vector<Atom>;

/// How a tensor comes from another by transposes and reshapes.
struct View {
  int source = 0;
  Atoms atoms;
  size_t ops = 0;         ///< length of the chain
  size_t transposes = 0;  ///< of which transposes

  /// The elements stand in the order of the source.
  bool contiguous() const { return atoms.size() <= 1; }
};

/// A tensor of `shape` as it is.
View whole(int source, const Shape& shape);
/// The view, of `shape`, with its dimensions in another order; nullopt when a dimension cuts
/// through an atom unevenly.
std::optional<View> turned(const View& view, const Shape& shape,
                           std::span<const int64_t> permutation);
/// The view in another shape; nullopt as above.
std::optional<View> reshaped(const View& view, const Shape& shape);

/// The shortest way from the source to a view: its shape before one transpose, and after it.
struct Turn {
  Shape factors;
  std::vector<int64_t> permutation;
  Shape turned;
};
/// `batch`: with a dimension of one in front.
Turn turn_of(const View& view, bool batch);

}  // namespace octet::lite
