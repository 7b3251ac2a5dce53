#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "api/deployment.h"
#include "data/dataset.h"
#include "formats/onnx/input_shape.h"
#include "quant/settings.h"
#include "train/settings.h"

namespace octet {

/// A data description (DATA.yaml, or the section 'data' of a recipe):
///
///     classes: 10
///     mean: [0.2860]              # per channel, of value/255; 0 to 1; default 0
///     deviation: [0.3530]         # per channel; 0.001 to 1000; default 1
///     size: 28x28                 # HEIGHTxWIDTH to resize to; default: as the images are
///     channels: 3                 # format folder: 3 (RGB, the default) or 1 (grey)
///     train: {format: idx, images: train-images.gz, labels: train-labels.gz}
///     test:  {format: folder, images: test}
///     validation: 0.1             # share of the training images held back; 0 to 0.9
///
/// or of a text, whose tokens are its bytes:
///
///     classes: 128                # bytes are below
///     length: 64                  # tokens that the network reads at once; 1 to 1000000
///     train: {format: text, text: book.txt}
///     test:  {format: text, text: later.txt}
///
/// One of train and test may be absent. Relative paths start at the folder of the file.
struct DataRecipe {
  std::optional<DataSource> train;
  std::optional<DataSource> test;
  double validation = 0.1;
};

/// A network to be made: the section 'new', instead of 'model'.
struct NewNetwork {
  std::string arch;
  Shape input;          ///< channels, height, width: "1x28x28"
  int64_t classes = 0;  ///< 1 to 1000000
  double width = 1.0;   ///< factor on the numbers of channels, 0.05 to 16
};

/// The section 'evaluation'.
struct EvaluationSettings {
  int64_t batch = 100;         ///< 1 to 65536
  int64_t latency_runs = 100;  ///< 1 to 1000000
};

/// The section 'verification', of the INT8 files.
struct VerificationSettings {
  int64_t images = 32;           ///< 0 (no verification) to 100000000
  std::optional<int64_t> limit;  ///< steps, 0 to 65535
};

/// What `octet run` and `octet train` do. The names of architectures, targets and observers are
/// checked by those who know them, later; everything else is checked here.
struct Recipe {
  std::filesystem::path file;
  std::string name;  ///< letters, digits and . _ -: it names the results
  uint64_t seed = 1;
  std::filesystem::path model;            ///< empty when there is `new_network`
  std::vector<InputShape> shapes;         ///< of the model: none, or the one of 'shape'
  std::optional<NewNetwork> new_network;  ///< one of the two is given
  DataRecipe data;
  /// 'targets', 'scheme: {weights: per-tensor, activations: symmetric, saturation: avoid}', 'io'.
  DeploymentChoice deployment{.targets = {"onnxruntime-cpu", "tflite"}};
  TrainSettings train;  ///< also augment: {flip: true, crop: 2}
  CalibrationSettings calibration;
  TrainSettings qat;
  EvaluationSettings evaluation;
  VerificationSettings verification;
};

/// Read and check a file. Errors are Code::Recipe, with file and line in the message; the paths in
/// it are not yet looked at, but for that of the data description.
Recipe read_recipe(const std::filesystem::path& file);
DataRecipe read_data(const std::filesystem::path& file);

/// "1x28x28" to {1, 28, 28}: three numbers from 1 to 65536. Throws Code::Usage.
Shape parse_image_shape(const std::string& text);

}  // namespace octet
