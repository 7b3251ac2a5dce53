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
  /// Per cent of the validation images; in QAT of the integer file, in its runtime. Without labels
  /// (a teacher of weight 1): those that get the float network's class.
  double validation_top1 = 0;
};
struct TrainResult {
  std::vector<EpochResult> epochs;
  int64_t best = 0;  ///< the epoch whose weights were kept
};

struct TrainOptions {
  /// Go on from the checkpoints in the folder, as if it had not been interrupted; without any, from
  /// the beginning.
  bool resume = false;
};

/// Trains the float network of a recipe (sections 'model' or 'new', 'data', 'train') and writes it
/// to float.onnx in the folder `out`. The best epoch is chosen on the validation part of the
/// training images. While it trains it keeps train.checkpoint there, whole at any moment
/// (docs/training.md). Throws Code::Usage where that is of another training, Code::Data where it is
/// damaged, Code::Numeric naming epoch and step where the loss is not finite: the checkpoint then
/// holds the best epoch, with which `resume` finishes.
TrainResult train(const std::filesystem::path& recipe, const std::filesystem::path& out,
                  const TrainOptions& options = {}, const ProgressSink& progress = {});

/// What the checkpoints in a folder hold, a line each: "qat.checkpoint: epoch 3, 120 batches".
/// Throws Code::Data for a damaged one.
std::vector<std::string> checkpoints_in(const std::filesystem::path& out);

// --- Measuring ---------------------------------------------------------------------------------

/// One state of a network, measured: a row of the report.
struct State {
  std::string name;     ///< "float", "quantized", "qat", "onnx-int8", "tflite-int8"
  std::string format;   ///< "ONNX FP32", "simulated", "ONNX INT8", "TFLite INT8"
  std::string runtime;  ///< "ONNX Runtime 1.23.2", "LibTorch 2.14.1", "TFLite 2.14.1"
  std::string path;     ///< the file; empty for simulated states
  int64_t images = 0;   ///< of a text: sequences
  double top1 = 0;      ///< percent; ties go to the lowest class. Of a text: of the next tokens
  double top5 = 0;
  /// Of a text: e to the mean cross entropy of the next tokens; absent for images.
  std::optional<double> perplexity;
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

/// Runs an ONNX or TFLite file in its runtime over labelled images, or an ONNX file over a text
/// (`data`: a data description).
State evaluate(const std::filesystem::path& model, const std::filesystem::path& data,
               const EvaluateOptions& options = {}, const ProgressSink& progress = {});

// --- Verifying ---------------------------------------------------------------------------------

/// A value of a quantized network, as the runtime of a file computed its integers, against the
/// simulation of that runtime and against the float network.
struct CheckedTensor {
  std::string name;       ///< of the value in the network
  int64_t elements = 0;   ///< compared, over all images
  int64_t differing = 0;  ///< elements whose integers are others than the simulation's
  int64_t largest = 0;    ///< difference, in steps of the value's grid
  int32_t deployed = 0;   ///< the first integers that differ: the file's, on the int8 grid,
  int32_t simulated = 0;  ///< and the simulation's
  double sqnr = 0;        ///< dB, of the file's numbers against the float network's
  /// A node that computes in float between integers comes before it: float sums may be rounded
  /// otherwise there, which can make a step of difference.
  bool after_float = false;
};

/// What is known of a file: every intermediate value that it keeps, and its predictions.
struct Certificate {
  std::string file;
  std::string runtime;  ///< "ONNX Runtime 1.23.2"
  int64_t images = 0;
  std::vector<CheckedTensor> tensors;  ///< in order of execution
  double same_as_simulated = 0;        ///< percent of images with the simulation's prediction
  double same_as_float = 0;            ///< and with the float network's
  std::vector<std::string> in_float;   ///< nodes that stay in float, each with the reason
  /// Steps that are allowed. Not given: 0, but any number after a node that stays in float.
  std::optional<int64_t> limit;

  /// The first value where file and simulation part; nullptr where all integers are equal.
  const CheckedTensor* first_parting() const;
  int64_t largest() const;      ///< difference of all, in steps
  std::string refusal() const;  ///< one line where a difference is not allowed; else empty
  std::string summary() const;  ///< one line
  std::string text() const;     ///< a table for a terminal, a line per value, and the summary
  std::string json() const;
};

struct VerifyOptions {
  int64_t images = 32;           ///< of the training images that are held back; 1 or more
  std::optional<int64_t> limit;  ///< `Certificate::limit`; 0 or more
};

/// Runs a .onnx or .tflite file in its runtime beside the exact simulation of that runtime, value
/// by value. `against`: the network file (.octet) that the file was made from, or the float network
/// (.onnx), whose parameters and integers are then taken from the file itself.
/// `data`: a data description with training images; those that are held back from training
/// (validation) are used, in the order of the network's seed, or all where none are held back. A
/// difference throws nothing: look at `Certificate::refusal`. Throws Code::Model naming the first
/// value that shows the file to be another network's.
Certificate verify(const std::filesystem::path& file, const std::filesystem::path& against,
                   const std::filesystem::path& data, const VerifyOptions& options = {},
                   const ProgressSink& progress = {});

// --- Quantizing --------------------------------------------------------------------------------

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
  int weight_bits = 0;     ///< of weight-only ranges: 4 or 8; 0: 4
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

// --- Measuring all ways to quantize --------------------------------------------------------------

struct GridOptions {
  /// Of scheme words, as in a recipe: "per-tensor symmetric" (`grid_schemes`); empty: all.
  std::vector<std::string> schemes;
  /// Ways to choose ranges and to refine, in rows: an observer ("mse"), or an observer with methods
  /// ("percentile+bias-correction"). Empty: every observer alone, and "percentile" with every
  /// method.
  std::vector<std::string> ways;
  std::string format = "onnx";       ///< or "tflite": the files that are measured
  int64_t calibration_images = 256;  ///< of the training images, chosen by seed
  int64_t test_images = 0;           ///< so many of the test images, chosen by seed; 0: all
  uint64_t seed = 1;
};

/// A file, made in one way and measured in its runtime.
struct GridCell {
  std::string scheme;
  std::string way;
  double validation = 0;  ///< top-1 on the training images that are held back, percent
  double test = 0;        ///< top-1 on the test images
  double seconds = 0;     ///< of what comes after the look at the images
  std::string refusal;    ///< why there is no such file; else empty
};

struct GridReport {
  std::string model;
  std::string runtime;
  int64_t calibration_images = 0;
  int64_t validation_images = 0;
  int64_t test_images = 0;
  uint64_t seed = 0;
  double float_validation = 0;  ///< of the float network
  double float_test = 0;
  std::vector<GridCell> cells;  ///< scheme by scheme

  /// The cell of a scheme with the best top-1 on held-back images; the first of equals. nullptr
  /// where the scheme has none.
  const GridCell* chosen(const std::string& scheme) const;
  std::string markdown() const;  ///< a row per way, a column per scheme
  std::string json() const;
};

/// The schemes that `grid` tries where none are named.
std::vector<std::string> grid_schemes();

/// Quantizes a float network in every way and measures each file: for each scheme the images are
/// looked at once, and every observer chooses from what was seen; methods that change the float
/// network look again. Which way is best is to be chosen on held-back training images
/// (`GridReport::chosen`); the test images only report.
GridReport grid(const std::filesystem::path& model, const std::filesystem::path& data,
                const GridOptions& options = {}, const ProgressSink& progress = {});
// --- Mixed precision ---------------------------------------------------------------------------

struct SensitivityOptions {
  std::string target = "onnxruntime-cpu";  ///< a name of `targets()`
  int64_t images = 32;                     ///< held-back training images to measure on; 1 or more
  int64_t calibration_images = 1024;
  std::string observer = "percentile";
  std::vector<std::string> methods;
  std::string weights;  ///< these as in QuantizeOptions
  std::string activations = "asymmetric";
  std::vector<std::string> shapes;
  uint64_t seed = 1;
};

/// What it costs to quantize one layer alone, its weights and its result, all others in float.
/// SQNR in dB, infinite where nothing was rounded.
struct LayerSensitivity {
  std::string name;  ///< of its (first) node; "input 'x'": the network's input
  std::string op;
  std::string result;                 ///< the value that is rounded
  std::string weight;                 ///< empty: it has none
  std::optional<double> weight_sqnr;  ///< of the result, when the weights are rounded
  double result_sqnr = 0;             ///< of the result, when it is rounded
  double logits_sqnr = 0;             ///< of the logits, when both are
  double divergence = 0;  ///< KL(float || that) of the softmax of the logits, mean, nats
  double changed = 0;     ///< percent of images with another prediction
  double share = 0;       ///< percent of the noise in the logits that all layers add up to
};

struct Sensitivity {
  std::string model;
  std::string target;
  std::string observer;
  int64_t images = 0;
  std::vector<LayerSensitivity> layers;  ///< the one that hurts most first

  /// A table for a terminal, of at most so many layers.
  std::string text(size_t rows = 20) const;
  std::string json() const;
  std::string svg() const;  ///< a bar chart
};

/// Measures which layers of a float network hurt when they are quantized, in one pass over a few
/// images that are held back from training: of each batch the float activations are kept, and what
/// follows from a layer is computed again with that layer rounded. Nothing is evaluated layer by
/// layer, and memory does not grow with the images. Errors as `quantize`.
Sensitivity sensitivity(const std::filesystem::path& model, const std::filesystem::path& data,
                        const SensitivityOptions& options = {}, const ProgressSink& progress = {});

struct SearchOptions {
  std::string target = "onnxruntime-cpu";  ///< a name of `targets()`
  double max_drop = 0.5;      ///< points of top-1 below float that are allowed; 0 to 100
  std::string time;           ///< "30s", "10m" or "2h"; empty: until there is nothing left to try
  std::string cost = "both";  ///< what is made least: "size", "latency", or "both": their product
  int64_t images = 0;         ///< held-back training images to score on; 0: all
  int64_t noise_images = 32;  ///< of these, to measure sensitivity on; 1 or more
  int64_t latency_runs = 100;
  std::vector<std::string> observers;  ///< to try, in this order; empty: all
  std::vector<std::string> methods;    ///< to try on top of the best observer, one after the other
  int64_t calibration_images = 1024;
  std::string weights;  ///< these as in QuantizeOptions
  std::string activations = "asymmetric";
  std::vector<std::string> shapes;
  uint64_t seed = 1;
  int64_t verify_images = 32;
};

/// One assignment, and what its file measured in its runtime.
struct SearchTrial {
  int64_t number = 0;  ///< from 1
  std::string observer;
  std::vector<std::string> methods;
  int activation_bits = 8;
  std::vector<std::string> in_float;  ///< layers that were asked to stay in float
  std::vector<std::string> nodes;     ///< all nodes that compute in float in the file
  double top1 = 0;                    ///< on the held-back images
  int64_t size_bytes = 0;
  double latency_ms = 0;  ///< batch 1, one thread, median
  double seconds = 0;     ///< that the trial took
  std::string refused;    ///< why its file cannot be used; empty: it can

  std::string text() const;  ///< "int8, observer search, 3 layers in float"
};

struct SearchResult {
  std::filesystem::path best_file;
  State float_network;  ///< on the same images
  double max_drop = 0;
  std::string cost;                 ///< as in the options
  std::vector<SearchTrial> trials;  ///< also those of earlier runs that the journal holds
  std::optional<size_t> best;  ///< the cheapest that keeps the accuracy, else the most accurate
  bool finished = false;       ///< nothing was left to try; else the time was up
  int64_t repeated = 0;        ///< trials that the journal knew

  bool keeps(const SearchTrial& trial) const;  ///< the accuracy, within the drop that is allowed
  /// Trials that no other one beats in accuracy and size, or in accuracy and latency; by size.
  std::vector<size_t> curve() const;
  std::string refusal() const;  ///< one line where no trial keeps the accuracy; else empty
  std::string summary() const;  ///< one line
  std::string text() const;     ///< the curve as a table, and the summary
  std::string json() const;
  std::string svg() const;  ///< the curve as a picture
};

/// Finds the cheapest assignment (integers or float by layer; the observer, methods; 16 bits where
/// TFLite has them) whose file keeps the accuracy of the float network within `max_drop` points on
/// training images that are held back. Every trial is a file, measured in its runtime. In the
/// folder `out` it keeps the best file so far (best.onnx or best.tflite), and journal.jsonl, a line
/// per trial: killed at any moment, the same call goes on where it stopped. At the end it writes
/// curve.svg and search.json there, and sensitivity.svg and sensitivity.json where layers were
/// ranked. At least one trial is made whatever `time` says. Throws Code::Usage for options without
/// a meaning and a journal of another search, Code::Data for a damaged journal, and as `quantize`.
SearchResult search(const std::filesystem::path& model, const std::filesystem::path& data,
                    const std::filesystem::path& out, const SearchOptions& options = {},
                    const ProgressSink& progress = {});

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
  std::string bad_images = "fail";  ///< as in QuantizeOptions
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
  std::vector<Certificate> certificates;  ///< of the INT8 files
  std::vector<std::string> passes;        ///< what was rewritten: "fold_batch_normalization: 12"
  std::vector<std::string> in_float;      ///< nodes that stay in float, each with the reason
  std::vector<std::string> notes;         ///< what to know of the files, a line each
  CalibrationReport calibration;          ///< its gist is in the notes
  std::vector<std::pair<std::string, std::string>> versions;

  std::string text() const;  ///< the table for a terminal
  std::string markdown() const;
  std::string json() const;
};

/// The whole workflow of a recipe: float network -> fused -> calibrated -> QAT -> integer files ->
/// accuracy of every state in its runtime. Writes float.onnx, network.octet, int8.onnx,
/// int8.tflite, report.json and report.md into the folder `out`. The INT8 files are verified on
/// training images that are held back, as in `quantize`. The test images are looked at once per
/// state, for the report alone. Checkpoints and errors as `train`; besides, qat.checkpoint.
Report run(const std::filesystem::path& recipe, const std::filesystem::path& out,
           const TrainOptions& options = {}, const ProgressSink& progress = {});

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

struct TargetRow {
  std::string name;     ///< as in QuantizeOptions::targets
  std::string format;   ///< of its files: "TFLite INT8"
  std::string scheme;   ///< "weights per channel, float at the ends"
  std::string runtime;  ///< whose kernels the profile is of: "TFLite 2.14"
  std::string purpose;
};
/// What files can be made for.
std::vector<TargetRow> targets();

struct PlanOptions {
  std::vector<std::string> targets;  ///< at least one
  std::vector<std::string> shapes;   ///< as in QuantizeOptions
};
/// What quantization for targets will make of a float network.
struct Plan {
  std::vector<std::string> passes;     ///< what will be rewritten: "lower_operators: 3"
  std::vector<OperatorRow> operators;  ///< afterwards; "int8", "int8 table", "float32", "refused"
  std::vector<std::string> reasons;    ///< node by node: why it is not in integers
  bool refused = false;                ///< a target's files have no place for such nodes
};
/// Says it before any work, and without data. Errors as `quantize`.
Plan plan(const std::filesystem::path& model, const PlanOptions& options);

// --- Comparing ---------------------------------------------------------------------------------

/// A tensor that two INT8 files store differently.
struct Difference {
  std::string tensor;  ///< name of the network's value
  std::string what;    ///< "scale", "zero point", "integers", "table", "type", "shape"
  std::string a;       ///< in the first file
  std::string b;       ///< in the second
};

/// A tensor, or a value's table, that only one of two INT8 files has.
struct OneSided {
  std::string tensor;
  std::string what;    ///< "tensor" or "table"
  std::string path;    ///< of the file that has it
  std::string reason;  ///< the format's rule that asks for it; empty: none does
};

/// What two INT8 files store of one network. Activations in uint8 are compared as the int8 that
/// means the same (128 less); constants in the order of ONNX.
struct Comparison {
  int64_t values = 0;     ///< computed tensors with equal scale and zero point
  int64_t constants = 0;  ///< weights, biases and others with equal integers, scales, zero points
  int64_t tables = 0;     ///< of pointwise functions, with equal entries
  std::vector<Difference> differences;
  std::vector<OneSided> one_sided;

  /// No difference, and nothing on one side alone without a reason.
  bool equal() const;
};

/// Compares what two INT8 files (.onnx in QDQ form, .tflite) store, tensor by tensor, by name.
/// Nothing is run. Throws Code::Usage for other extensions and Code::Model, naming the tensor, for
/// files that are damaged: scales that are not positive and finite, or not constant; zero points
/// outside their type.
Comparison compare(const std::filesystem::path& a, const std::filesystem::path& b);

/// The comparison as a JSON object.
std::string to_json(const Comparison& comparison);

/// Names and versions of octet and the libraries that it runs on.
std::vector<std::pair<std::string, std::string>> versions();

}  // namespace octet
