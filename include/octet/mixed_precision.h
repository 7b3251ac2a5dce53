#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "octet/progress.h"

namespace octet {

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
  std::vector<std::string> on_16_bits;  ///< layers that were asked to, beside 8 bits
  std::vector<std::string> in_float;    ///< layers that were asked to stay in float
  std::vector<std::string> wide_nodes;  ///< all nodes on 16-bit activations beside 8-bit ones
  std::vector<std::string> nodes;       ///< all nodes that compute in float in the file
  double top1 = 0;                      ///< on the held-back images
  int64_t size_bytes = 0;
  double latency_ms = 0;  ///< batch 1, one thread, median
  double seconds = 0;     ///< that the trial took
  std::string refused;    ///< why its file cannot be used; empty: it can

  /// "int8, search, 1 layer on 16 bits, 3 layers in float"
  std::string text() const;
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

/// Finds the cheapest assignment (8 bits, 16 where TFLite has them, or float by layer; the
/// observer, methods; 16 bits throughout) whose file keeps the accuracy of the float network within
/// `max_drop` points on training images that are held back. Every trial is a file, measured in its
/// runtime. In the folder `out` it keeps the best file so far (best.onnx or best.tflite), and
/// journal.jsonl, a line per trial: killed at any moment, the same call goes on where it stopped.
/// At the end it writes curve.svg and search.json there, and sensitivity.svg and sensitivity.json
/// where layers were ranked. At least one trial is made whatever `time` says. Throws Code::Usage
/// for options without a meaning and a journal of another search, Code::Data for a damaged journal,
/// and as `quantize`.
SearchResult search(const std::filesystem::path& model, const std::filesystem::path& data,
                    const std::filesystem::path& out, const SearchOptions& options = {},
                    const ProgressSink& progress = {});

}  // namespace octet
