#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/quant_table.h"
#include "graph/tensor.h"

namespace octet {

struct Epoch {
  int64_t number = 0;     ///< 0: before training
  double loss = 0;        ///< mean over the epoch; 0 for number 0
  double validation = 0;  ///< per cent of the validation images, see `train_quantized`
};

/// All that training has to know to go on as if it had not stopped. Random numbers are not in it:
/// they are functions of the seed and the place.
struct Checkpoint {
  int64_t epoch = 0;               ///< epochs that are done
  int64_t batches = 0;             ///< of the next epoch that are done
  double loss = 0;                 ///< sum over these batches
  std::vector<Epoch> epochs = {};  ///< results so far
  int64_t best = 0;                ///< number of the best of them
  bool finished = false;           ///< nothing is left to learn: the best epoch is the result
  /// "present/NAME", "best/NAME", "average/NAME", "optimizer/NAME", "scale/NAME",
  /// "zero_point/NAME".
  std::map<std::string, Tensor> tensors = {};

  /// The result of the best epoch; nullptr where there is none yet.
  const Epoch* best_epoch() const;
};

/// Where training leaves its state, and goes on from.
struct Checkpoints {
  std::string place = {};                            ///< how messages call it: "out/qat.checkpoint"
  std::function<void(const Checkpoint&)> keep = {};  ///< empty: nothing is kept
  std::optional<Checkpoint> resume = {};             ///< to go on from
};

/// The grids of computed values, as a checkpoint holds them; and back into a table of the same
/// network, which keeps types and axes. Throws Code::Data where a value is missing.
void keep_grids(const Graph& graph, const QuantTable& table,
                std::map<std::string, Tensor>& tensors);
void restore_grids(const std::map<std::string, Tensor>& tensors, const Graph& graph,
                   QuantTable& table, const std::string& place);

}  // namespace octet
