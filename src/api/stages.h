#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "api/recipe.h"
#include "base/progress.h"
#include "data/batch.h"
#include "data/dataset.h"
#include "formats/onnx/input_shape.h"
#include "formats/onnx/onnx_file.h"
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
/// input that the file leaves open. Throws Code::Model where an image's size is still open or 0,
/// Code::Unsupported where the network is quantized already.
Graph read_network(const std::filesystem::path& model, std::span<const InputShape> shapes);

/// Throws Code::Unsupported naming `model` where a network has more than one input of images and
/// one output, Code::Model where an image's size is open or 0.
void check_images(const Graph& graph, const std::filesystem::path& model);

/// Throws Code::Data when the data set's images do not have the shape of the network's input.
void check_input(const Graph& graph, const Dataset& dataset);

/// Fuses, lowers for the targets, places quantizers, calibrates on the first images of
/// `split.train`, and solves for the table.
QuantizedNetwork quantize_network(Graph graph, const TargetSet& targets, const Dataset& dataset,
                                  const Split& split, const CalibrationSettings& settings,
                                  const ProgressSink& progress);

/// The images that calibrate, one batch after the other, with the progress of them.
class CalibrationImages {
 public:
  CalibrationImages(const Dataset& dataset, const Split& split, const CalibrationSettings& settings,
                    const ProgressSink& progress);
  /// As `calibrate` asks for them (calibrate.h).
  int64_t next(std::vector<float>& images);

 private:
  int64_t count_;
  BatchReader reader_;
  Step step_;
  Batch batch_;
};

/// What stays in float, each with its reason. Throws Code::Unsupported naming the node where a
/// target's files hold no float between integers.
std::vector<std::string> what_stays_in_float(const Graph& graph, const Placement& placement,
                                             const TargetSet& targets);

/// The INT8 file in the format that the extension names; `form` of an ONNX file.
std::vector<std::byte> quantized_file(const QuantizedNetwork& network,
                                      const std::filesystem::path& path,
                                      OnnxForm form = OnnxForm::Qdq);

}  // namespace octet
