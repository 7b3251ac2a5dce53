#pragma once

#include <string>
#include <utility>
#include <vector>

#include "octet/compare.h"
#include "octet/convert.h"
#include "octet/error.h"
#include "octet/evaluate.h"
#include "octet/grid.h"
#include "octet/inspect.h"
#include "octet/mixed_precision.h"
#include "octet/progress.h"
#include "octet/quantize.h"
#include "octet/train.h"
#include "octet/verify.h"

/// octet shrinks trained networks to INT8. Every function throws `octet::Error` and nothing else;
/// files appear whole or not at all. Percentages are 0 to 100, times are milliseconds, sizes bytes.
namespace octet {

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

/// Names and versions of octet and the libraries that it runs on.
std::vector<std::pair<std::string, std::string>> versions();

}  // namespace octet
