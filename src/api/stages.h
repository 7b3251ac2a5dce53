#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "api/recipe.h"
#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/quant_table.h"
#include "octet/octet.h"
#include "passes/passes.h"
#include "quant/place.h"

namespace octet {

/// A calibrated network: what training refines and writers write.
struct QuantizedNetwork {
  Graph graph;
  Placement placement;
  QuantTable table;
  PassLog log;
};

/// The training images, shuffled by seed and cut into the part to learn and calibrate from and the
/// part to choose by.
struct Split {
  std::vector<int64_t> train;
  std::vector<int64_t> validation;
};
Split split(const Dataset& dataset, double validation, uint64_t seed);

/// Opens a part of a data description, or says that it is missing ("train", "test").
std::unique_ptr<Dataset> open_part(const std::optional<DataSource>& source, std::string_view part);

/// Reads a float network and checks that images of this shape can enter it.
Graph read_network(const std::filesystem::path& model);
void check_input(const Graph& graph, const Dataset& dataset);

/// Fuses, lowers for the targets, places quantizers, calibrates on the first images of
/// `split.train`, and solves for the table.
QuantizedNetwork quantize_network(Graph graph, const TargetSet& targets, const Dataset& dataset,
                                  const Split& split, const CalibrationSettings& settings,
                                  const ProgressSink& progress);

/// Writes an INT8 file in the format that its extension names.
void write_quantized(const QuantizedNetwork& network, const std::filesystem::path& path);

}  // namespace octet
