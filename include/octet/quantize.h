#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "octet/progress.h"
#include "octet/verify.h"

namespace octet {

/// Names and one-line summaries of the methods that win back, without labels, accuracy that
/// rounding costs (docs/recipe.md).
std::vector<std::pair<std::string, std::string>> methods();

struct QuantizeOptions {
  /// Empty: the ones that the outputs' extensions name, or, where all are .octet, onnxruntime-cpu
  /// and tflite.
  std::vector<std::string> targets;
  int64_t calibration_images = 1024;  ///< of the training images, chosen by seed
  /// "minmax", "moving-average", "percentile", "percentile-99.99", "percentile-99.999", "entropy",
  /// "mse" or "search" (docs/recipe.md).
  std::string observer = "percentile";
  double percentile = 99.99;  ///< of the observer of that name; 50 to 100
  double norm = 2;            ///< of 'mse': the power of errors that is made least; 1 to 8
  /// About images on which the network makes NaN or infinity: "fail" names the first one, "skip"
  /// goes on without them.
  std::string bad_images = "fail";
  std::vector<std::string> methods;  ///< that win accuracy back: names of `methods()`, or "gptq"
  double migration = 0.5;            ///< of the method 'migrate': SmoothQuant's alpha, 0 to 1
  /// Calibrations that were kept, of parts of the images: ranges come from them together, and no
  /// image is looked at but to verify the files (without `data`, not at all).
  std::vector<std::filesystem::path> calibrations;
  std::filesystem::path keep_calibration;  ///< a .calib file to write what was seen to; empty: none
  uint64_t seed = 1;
  /// "per-channel" or "per-tensor"; empty: the finest that all targets have. Of weight-only ranges:
  /// "asymmetric" (each group has its zero point; empty means this) or "symmetric".
  std::string weights;
  std::string activations = "asymmetric";  ///< or "symmetric": zero point 0 in int8
  /// The integers of weights: "narrow", -127 to 127, or "full", -128 to 127 (ONNX alone).
  std::string weight_range = "narrow";
  /// "any", or "power-of-two": each is the least power of two that holds the range. 8 bits.
  std::string scales = "any";
  /// What some nodes do otherwise: "PATTERN=WORDS", such as "/head/*=float" (docs/schemes.md).
  /// Where two are of one node the later one holds.
  std::vector<std::string> overrides;
  /// What stands at the ends of the files: "float", "int8" or "uint8"; empty: what the targets
  /// want. With integers the input's are the raw pixels where mean and deviation of the data allow
  /// that exactly.
  std::string io;
  /// Of activations: 8, or 16 (TFLite alone: int16 activations around 0, int8 weights, int64
  /// biases).
  int activation_bits = 8;
  /// "static": activations are integers, on grids from calibration. "dynamic": weights alone are
  /// stored as integers; activations stay float, and get grids where the runtime multiplies in
  /// integers. Needs no data. "weight-only": the weights of matrix products are stored in a few
  /// bits, `group_size` neighbours along the inputs sharing a scale; activations stay float (ONNX
  /// Runtime's MatMulNBits). Needs data for the method "gptq" alone (docs/language.md).
  std::string ranges = "static";
  int weight_bits = 0;     ///< 8, or 4 where the targets have such kernels; 0: 8 (weight-only: 4)
  int64_t group_size = 0;  ///< of weight-only ranges: 16, 32, 64, 128 or 256; 0: 32
  /// Sizes of the input that the network's file leaves open: "NAME=1x3x224x224", or "1x3x224x224".
  /// The first may be N: any batch.
  std::vector<std::string> shapes;
  int64_t verify_images = 32;           ///< as in `VerifyOptions`; 0: the files are not verified
  std::optional<int64_t> verify_limit;  ///< `Certificate::limit`
  /// On x86 processors without VNNI ONNX Runtime adds products in pairs of 16 bits, which may
  /// saturate. "avoid": channels of weights that could are given a larger scale, so that no input
  /// can make them (for targets that ONNX Runtime runs); "report": all weights keep their full
  /// range, and the notes say how many channels can saturate.
  std::string saturation = "avoid";
  std::string form = "qdq";  ///< of ONNX files: "qdq" or "qoperator" (QLinearConv, ...)
};

/// What calibration saw of values that share a grid.
struct CalibratedValue {
  std::string name;      ///< of the first of them
  int64_t numbers = 0;   ///< that were seen
  double low = 0;        ///< the smallest
  double high = 0;       ///< the largest
  double most_low = 0;   ///< 99.99 % of the numbers are from here
  double most_high = 0;  ///< to here
  int64_t settled = 0;   ///< images after which neither end of the range moved by more than 2 % of
                         ///< its last width; 0: all images were seen at once, which does not tell
  double moved = 0;      ///< per cent of the width by which an end moved at last, with up to half
                         ///< of the images
  std::optional<double> grid_low;  ///< the ends of the grid that was chosen
  std::optional<double> grid_high;
  bool vanishes = false;          ///< its numbers are so small that all are 0 on the grid
  std::optional<double> clipped;  ///< per cent of held-back images' numbers beyond the grid
};

/// How representative the calibration images were.
struct CalibrationReport {
  int64_t images = 0;                 ///< that were calibrated on
  std::vector<std::string> left_out;  ///< images that make NaN or infinity, a line each
  int64_t batch = 0;                  ///< images in a batch of them
  /// Per cent by which an image's results change with the others in its batch; 0 for networks that
  /// look at each image alone. Others should be calibrated in batches of the size that they will be
  /// run in.
  double batch_effect = 0;
  bool whole = false;     ///< the ranges that settle are those of all numbers, not of 99.99 %
  int64_t held_back = 0;  ///< images that `clipped` is of; 0: none
  std::vector<CalibratedValue> values;

  int64_t enough() const;  ///< images after which all ranges had settled; 0: not known
  std::vector<std::string> notes() const;  ///< the gist, a line each
  std::string text() const;                ///< a table for a terminal, and the notes
  std::string json() const;
};

/// What a kept calibration (.calib) saw. Throws Code::Data when it is none, or a damaged one.
CalibrationReport inspect_calibration(const std::filesystem::path& calibration);

struct QuantizeResult {
  std::vector<std::string> passes;        ///< what was rewritten: "fold_batch_normalization: 12"
  std::vector<std::string> in_float;      ///< nodes that stay in float, each with the reason
  std::vector<std::string> notes;         ///< what to know of the files, a line each
  std::vector<Certificate> certificates;  ///< of the .onnx and .tflite files
  CalibrationReport calibration;          ///< its gist is in the notes

  std::string json() const;
};

/// Post-training quantization alone: calibrates on the training images of `data` and writes one
/// file per output, all with the same integers: .onnx, .tflite, or .octet, the quantized network
/// itself, which `verify` takes. Operators that octet has no kernel of are computed by ONNX Runtime
/// meanwhile, and stay in float. With dynamic ranges `data` is empty.
/// Every file is verified when it is written, but for those of dynamic ranges, which have no exact
/// simulation. One that parts from its simulation by more than the limit, or that its runtime
/// cannot compute, is removed again, and those after it are not written: Code::Runtime, naming the
/// first value that differs.
QuantizeResult quantize(const std::filesystem::path& model, const std::filesystem::path& data,
                        const std::vector<std::filesystem::path>& outputs,
                        const QuantizeOptions& options = {}, const ProgressSink& progress = {});

}  // namespace octet
