#pragma once

#include <optional>

#include "graph/graph.h"

namespace octet {

/// Of a value [batch, rows, width]: its first and last rows that are the same for every image (a
/// class token with its position, as it stands before the first attention).
struct ConstantRows {
  int64_t front = 0;
  int64_t back = 0;
  Tensor values;  ///< [rows, width]; of rows that differ there is no meaning

  int64_t rows() const { return values.shape[0]; }
  bool contains(int64_t row) const { return row < front || row >= rows() - back; }
};

/// What Pad and Concat put around other rows, and what constants add to these. nullopt where all
/// rows may differ, or none does.
std::optional<ConstantRows> constant_rows(const Graph& graph, ValueId id);

}  // namespace octet
