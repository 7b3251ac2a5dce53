#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "api/deployment.h"
#include "api/recipe.h"
#include "base/progress.h"
#include "data/batch.h"
#include "data/dataset.h"
#include "formats/onnx/input_shape.h"
#include "formats/onnx/onnx_file.h"
#include "graph/graph.h"
#include "graph/group_grid.h"
#include "graph/quant_table.h"
#include "octet/octet.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/place.h"

namespace octet {

/// A calibrated network: what training refines and writers write.
struct QuantizedNetwork {
  Graph graph;
  Placement placement;
  QuantTable table;
  GroupTable groups;  ///< of weight-only ranges: instead of a table
  PassLog log;
  std::vector<std::string> in_float;     ///< nodes that stay in float, each with the reason
  std::vector<std::string> targets;      ///< that it was made for
  std::vector<Override> overrides = {};  ///< of its scheme, by node
  uint64_t seed = 1;                     ///< that the training images were split by
  FileForm form;
  /// What integers at the ends of its files stand for.
  std::vector<std::string> ends;
  std::string pixels = {};           ///< what integers at the input stand for; empty: no raw pixels
  std::vector<std::string> methods;  ///< what methods (methods.h) did, a line each
  CalibrationReport calibration;     ///< how representative the images were
  std::string prepared = {};         ///< how they changed its structure (quant/channels/prepared.h)
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

/// Reads a float network with one input of images (or tokens) and one output; `shapes` fill
/// dimensions of the input that the file leaves open. Throws Code::Model where an image's size is
/// still open or 0, Code::Unsupported where the network is quantized already.
Graph read_network(const std::filesystem::path& model, std::span<const InputShape> shapes);

/// The network's input is tokens, int64 [N, T].
bool reads_tokens(const Graph& graph);

/// Throws Code::Unsupported naming `model` where a network has more than one input of images or
/// tokens and one output, Code::Model where their size is open or 0.
void check_images(const Graph& graph, const std::filesystem::path& model);

/// Throws Code::Data when the data set's images do not have the shape of the network's input.
void check_input(const Graph& graph, const Dataset& dataset);

/// Fuses, lowers for the targets and places quantizers: all that is decided before data is looked
/// at. `in_float` tells what has no integer form. `prepare`, if any, may change the fused network
/// before it is lowered, and say what it did (`QuantizedNetwork::methods`).
using Prepare = std::function<void(Graph& graph, std::vector<std::string>& notes)>;
QuantizedNetwork place_network(Graph graph, const Deployment& deployment,
                               const Prepare& prepare = {});

/// Places a network that is lowered, with the overrides that it has: what computes on 16 bits
/// beside 8 is lowered for that, and stands between copies. Whether nodes were lowered, so that
/// there are values that the network did not have.
bool place_nodes(QuantizedNetwork& network, const Deployment& deployment);

/// Images to quantize with: `source` is where the data set comes from.
struct CalibrationImages {
  const Dataset& dataset;
  const DataSource& source;
  const Split& split;
  std::filesystem::path keep = {};  ///< a file for what was seen (calibration_file.h); empty: none
};

/// A network whose values were observed. They have no parameters yet: every observer, and every
/// method that refines, starts from here.
struct ObservedNetwork {
  QuantizedNetwork network;  ///< without a table
  Calibration seen;
  double batch_effect = 0;  ///< of the first two images: quant/batch_effect.h
  Calibration held;         ///< the same of held-back images; nothing where there are none
  std::string pixels;       ///< what integers at the input stand for; empty: the input is float
};

/// `place_network`, then one look at the first images of `split.train`. The settings' methods that
/// prepare a network run before. Throws Code::Unsupported where a node has no integer form and a
/// target's files no float.
ObservedNetwork observe_network(Graph graph, const Deployment& deployment,
                                const CalibrationImages& images,
                                const CalibrationSettings& settings, const ProgressSink& progress);

/// The same off calibrations that were kept, together. `images`, or nullptr, are for methods alone.
ObservedNetwork observe_network(Graph graph, const Deployment& deployment,
                                std::span<const std::filesystem::path> kept,
                                const CalibrationSettings& settings,
                                const CalibrationImages* images, const ProgressSink& progress);

/// The settings' observer chooses the ranges, the table is solved for, and the settings' methods
/// refine it.
QuantizedNetwork solve_network(ObservedNetwork observed, const Deployment& deployment,
                               const CalibrationSettings& settings, const CalibrationImages* images,
                               const ProgressSink& progress);

/// Says anew what integers at the ends of the files stand for, after grids have moved.
void describe_ends(QuantizedNetwork& network);

/// After weighted operators alone were trained (`QatScope::Weighted`): another look at the images,
/// and grids from it for the other activations.
void solve_apart(QuantizedNetwork& network, const Deployment& deployment,
                 const CalibrationImages& images, const CalibrationSettings& settings,
                 const ProgressSink& progress);

/// Both, from images.
QuantizedNetwork quantize_network(Graph graph, const Deployment& deployment,
                                  const CalibrationImages& images,
                                  const CalibrationSettings& settings,
                                  const ProgressSink& progress);

/// What weights alone are quantized in: fused, and lowered to what the targets' writers know.
QuantizedNetwork fuse_for_weights(Graph graph, const Deployment& deployment);

/// The same with weights in groups, and activations that stay float: fuses, and rounds the weights
/// of products to the nearest, or by GPTQ where the settings name the method "gptq", which alone
/// looks at images (nullptr: there are none). Layers are rounded one after the other, each for what
/// it reads from those before it. Throws Code::Usage for other methods, and for GPTQ without
/// images.
QuantizedNetwork quantize_in_groups(Graph graph, const Deployment& deployment,
                                    const CalibrationImages* images,
                                    const CalibrationSettings& settings,
                                    const ProgressSink& progress);

/// The same with dynamic ranges: fuses, lowers to what the targets' writers know, and solves for
/// the weights' entries alone.
QuantizedNetwork quantize_weights(Graph graph, const Deployment& deployment);

/// The images that calibrate, one batch after the other, with the progress of them.
class ImageStream {
 public:
  ImageStream(const Dataset& dataset, const Split& split, const CalibrationSettings& settings,
              const ProgressSink& progress);
  /// As `calibrate` asks for them (calibrate.h).
  int64_t next(std::vector<float>& images);
  /// What to do about bad ones, by the settings, and how they are called.
  BadImages bad_images() const;

 private:
  const Dataset& dataset_;
  const Split& split_;
  bool skip_bad_;
  int64_t count_;
  BatchReader reader_;
  Step step_;
  Batch batch_;
};

/// One look at the first images of `split.train`, with the settings' word about bad ones.
Calibration look_at(const Graph& graph, const Placement& placement, const CalibrationImages& images,
                    const CalibrationSettings& settings, const ProgressSink& progress);

/// Puts the input on the grid of raw pixels where that is exact. Returns what its integers are.
std::string pixels_of_input(QuantizedNetwork& network, const DataSource& source);

/// Throws Code::Unsupported naming a node that stays in float, unless an override asks for it,
/// where a target's files have none such.
void refuse_float(const QuantizedNetwork& network, const TargetSet& targets);

/// What to know of the files that a network is written to, a line each.
std::vector<std::string> notes_on(const QuantizedNetwork& network, const TargetSet& targets);

/// "node \"n\" (Op) stays in float, because ...", one line each.
std::vector<std::string> lines_in_float(const Graph& graph, const Placement& placement);

/// The file in the format that the extension names: .onnx, .tflite, or .octet, the network itself.
std::vector<std::byte> quantized_file(const QuantizedNetwork& network,
                                      const std::filesystem::path& path);

}  // namespace octet
