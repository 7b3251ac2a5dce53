#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "api/recipe.h"
#include "data/dataset.h"
#include "formats/onnx/input_shape.h"
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
  std::vector<std::string> in_float;  ///< nodes that stay in float, each with the reason
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

/// Reads a float network with one input of images and one output; `shapes` fill dimensions of the
/// input that the file leaves open. Throws Code::Model where an image's size is still open or 0.
Graph read_network(const std::filesystem::path& model, std::span<const InputShape> shapes);

/// Throws Code::Data when the data set's images do not have the shape of the network's input.
void check_input(const Graph& graph, const Dataset& dataset);

/// What a run demands of the integers, before any data is looked at.
struct Demands {
  TargetSet targets;
  Scheme scheme = {};
};

/// Fuses, lowers for the targets, places quantizers, calibrates on the first images of
/// `split.train`, and solves for the table. Code::Usage where a target has no kernels of the
/// scheme.
QuantizedNetwork quantize_network(Graph graph, const Demands& demands, const Dataset& dataset,
                                  const Split& split, const CalibrationSettings& settings,
                                  const ProgressSink& progress);

/// The same with dynamic ranges: fuses, lowers to what the targets' writers know, and solves for
/// the weights' entries alone. Code::Usage as above.
QuantizedNetwork quantize_weights(Graph graph, const Demands& demands);

/// The INT8 file in the format that the extension names.
std::vector<std::byte> quantized_file(const QuantizedNetwork& network,
                                      const std::filesystem::path& path);

}  // namespace octet
