#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "octet/error.h"
#include "octet/progress.h"

/// octet shrinks trained networks to INT8. Every function throws `octet::Error` and nothing else;
/// files appear whole or not at all. Percentages are 0 to 100, times are milliseconds, sizes bytes.
namespace octet {

// --- Making and training a float network ---------------------------------------------------------

struct NewOptions {
  std::string architecture;         ///< a name of `architectures()`
  std::string input = "3x224x224";  ///< channels x height x width
  int64_t classes = 1000;
  double width = 1.0;  ///< factor on the numbers of channels, which stay multiples of 8
  uint64_t seed = 1;   ///< of the weights
};

/// Names and one-line summaries of the networks that `make_network` knows.
std::vector<std::pair<std::string, std::string>> architectures();

/// Writes an untrained float network to `out` (ONNX).
void make_network(const NewOptions& options, const std::filesystem::path& out);

struct EpochResult {
  int64_t number = 0;  ///< 0: before training
  double loss = 0;     ///< mean over the epoch
  double validation_top1 = 0;
};
struct TrainResult {
  std::vector<EpochResult> epochs;
  int64_t best = 0;  ///< the epoch whose weights were kept
};

/// Trains the float network of a recipe (sections 'model' or 'new', 'data', 'train') and writes it
/// to float.onnx in the folder `out`. The best epoch is chosen on the validation part of the
/// training images.
TrainResult train(const std::filesystem::path& recipe, const std::filesystem::path& out,
                  const ProgressSink& progress = {});

// --- Measuring ---------------------------------------------------------------------------------

/// One state of a network, measured: a row of the report.
struct State {
  std::string name;     ///< "float", "quantized", "qat", "onnx-int8", "tflite-int8"
  std::string format;   ///< "ONNX FP32", "simulated", "ONNX INT8", "TFLite INT8"
  std::string runtime;  ///< "ONNX Runtime 1.23.2", "LibTorch 2.14.1", "TFLite 2.14.1"
  std::string path;     ///< the file; empty for simulated states
  int64_t images = 0;
  double top1 = 0;  ///< percent; ties go to the lowest class
  double top5 = 0;
  int64_t size_bytes = 0;  ///< of the file; 0 for simulated states
  double latency_ms = 0;   ///< batch 1, one thread, median
  /// Percent of images with the prediction of the state "qat"; absent where there is no such state.
  std::optional<double> agreement;
};

/// The state as a JSON object, as in the report.
std::string to_json(const State& state);

/// Writes a text file, whole or not at all.
void write_text(const std::filesystem::path& path, const std::string& text);

struct EvaluateOptions {
  std::string part = "test";  ///< which part of the data description: "test" or "train"
  int64_t batch = 100;
  int64_t latency_runs = 100;
};

/// Runs an ONNX or TFLite file in its runtime over labelled images (`data`: a data description).
State evaluate(const std::filesystem::path& model, const std::filesystem::path& data,
               const EvaluateOptions& options = {}, const ProgressSink& progress = {});

// --- Quantizing --------------------------------------------------------------------------------

struct QuantizeOptions {
  std::vector<std::string> targets;     ///< empty: the ones that the outputs' extensions name
  int64_t calibration_images = 1024;    ///< of the training images, chosen by seed
  std::string observer = "percentile";  ///< "minmax" or "percentile"
  double percentile = 99.99;
  uint64_t seed = 1;
  /// Sizes of the input that the network's file leaves open: "NAME=1x3x224x224", or "1x3x224x224".
  /// The first may be N: any batch.
  std::vector<std::string> shapes;
  std::string form =
      "qdq";  ///< of ONNX files: "qdq", or "qoperator" (ONNX Runtime's QLinearConv...)
};

struct QuantizeResult {
  std::vector<std::string> passes;    ///< what was rewritten: "fold_batch_normalization: 12"
  std::vector<std::string> in_float;  ///< nodes that stay in float, each with the reason
};

/// Post-training quantization alone: calibrates on the training images of `data` and writes one
/// file per output, .onnx or .tflite, all with the same integers. Operators that octet has no
/// kernel of are computed by ONNX Runtime meanwhile, and stay in float.
QuantizeResult quantize(const std::filesystem::path& model, const std::filesystem::path& data,
                        const std::vector<std::filesystem::path>& outputs,
                        const QuantizeOptions& options = {}, const ProgressSink& progress = {});

// --- Converting what is quantized already --------------------------------------------------------

struct ConvertOptions {
  std::vector<std::string> targets;  ///< empty: the ones that the outputs' extensions name
  std::string form = "qdq";          ///< of ONNX files: "qdq" or "qoperator"
  /// A data description, whose training images calibrate what the file leaves in float; empty: the
  /// file has to be quantized throughout.
  std::filesystem::path data;
  /// Where a target cannot have a parameter as it is, change it or round once more, and say so,
  /// instead of refusing: see `ConvertResult::changes`.
  bool allow_requantize = false;
  int64_t calibration_images = 1024;  ///< of the training images, chosen by seed
  std::string observer = "percentile";
  double percentile = 99.99;
  uint64_t seed = 1;
  std::vector<std::string> shapes;  ///< as in QuantizeOptions
};

struct ConvertResult {
  int64_t carried = 0;     ///< tensors whose scales, zero points and integers are those of the file
  int64_t calibrated = 0;  ///< tensors that got theirs from images
  /// What is not as in the file, by tensor: parameters that are others, roundings that come in.
  std::vector<std::string> changes;
  std::vector<std::string> notes;     ///< what is derived, and where the file is used otherwise
  std::vector<std::string> passes;    ///< what was rewritten: "simplify_layout: 2"
  std::vector<std::string> in_float;  ///< nodes that stay in float, each with the reason
};

/// Writes a network that is quantized already (ONNX: QDQ or QOperator form, static, 8 bits) as INT8
/// files, .onnx or .tflite, with its parameters unchanged: scales, zero points, integer weights and
/// biases; uint8 and int8 activations are the same moved by 128. Biases in float are rounded to the
/// scale of their products. What the file leaves in float is calibrated on `options.data` and
/// quantized around what is given. Throws Code::Unsupported naming the tensor where a target cannot
/// have a parameter as it is, or where calibration would be needed and there is no data.
ConvertResult convert(const std::filesystem::path& model,
                      const std::vector<std::filesystem::path>& outputs,
                      const ConvertOptions& options = {}, const ProgressSink& progress = {});

/// What `run` did and found.
struct Report {
  std::string name;
  std::string recipe;  ///< the text of the recipe
  uint64_t seed = 0;
  std::vector<State> states;
  TrainResult qat;
  std::vector<std::string> passes;    ///< what was rewritten: "fold_batch_normalization: 12"
  std::vector<std::string> in_float;  ///< nodes that stay in float, each with the reason
  std::vector<std::pair<std::string, std::string>> versions;

  std::string text() const;  ///< the table for a terminal
  std::string markdown() const;
  std::string json() const;
};

/// The whole workflow of a recipe: float network -> fused -> calibrated -> QAT -> integer files ->
/// accuracy of every state in its runtime. Writes float.onnx, int8.onnx, int8.tflite, report.json
/// and report.md into the folder `out`. The test images are looked at once per state, for the
/// report alone.
Report run(const std::filesystem::path& recipe, const std::filesystem::path& out,
           const ProgressSink& progress = {});

// --- Looking -----------------------------------------------------------------------------------

struct OperatorRow {
  std::string op;
  int64_t count = 0;
  std::string arithmetic;  ///< what the runtime computes it in: "uint8", "int8", "float32"
};
struct Inspection {
  std::string format;  ///< "ONNX" or "TFLite"
  std::string runtime;
  int64_t size_bytes = 0;
  int64_t parameters = 0;                ///< elements of constants of floating point or weights
  int64_t multiply_adds = 0;             ///< of convolutions and matrix products, one image
  std::vector<OperatorRow> source;       ///< operators as written in the file
  std::vector<OperatorRow> executed;     ///< after the runtime's own optimization
  std::vector<std::string> still_float;  ///< executed in float: "Softmax \"/head/softmax\""
  std::vector<std::string> unsupported;  ///< float ONNX: what octet cannot quantize, and why
};

/// Operators, parameters and multiply-adds of an ONNX or TFLite file, and the arithmetic that its
/// runtime really uses.
Inspection inspect(const std::filesystem::path& model);

/// Names and versions of octet and the libraries that it runs on.
std::vector<std::pair<std::string, std::string>> versions();

}  // namespace octet
