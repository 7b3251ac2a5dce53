#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quant/calibrate.h"

namespace octet {

/// A calibration on disk (.calib): JSON of this form, one entry for each group of values that share
/// a grid which comes from data.
///
///     {"format": "octet calibration", "version": 3, "images": 1024, "network": "9c4f...",
///      "means": {"relu1": {"count": 50176, "sums": [5120.25, ...]}, ...},
///      "groups": [{"values": ["conv1", "relu1"], "moving": [-1.5, 2], "range": [-1.7, 2.2],
///                  "course": [[64, -1.5, 2, -1.4, 1.9], [128, -1.6, 2.1, -1.4, 2], ...],
///                  "exponent": -10, "first": -1741, "counts": [3, 0, 7, ...]}, ...]}
///
/// `network` is the float network's fingerprint (graph/fingerprint.h), and the names of methods
/// that changed it beforehand, each with what the magnitudes of all constants added up to then.
/// `means` has, of the values that operators with weights and biases read, the sum of each channel.
/// Bin i of `counts` covers [first + i, first + i + 1) x 2^exponent.
/// `course` has the sketch's milestones: images, the range of all values, the range of 99.99 % of
/// them. A group that no data reached has none of these. Numbers are exact: what is read back is
/// what was written.
void write_calibration(const std::filesystem::path& path, const Graph& graph,
                       const Placement& placement, const Calibration& calibration);

/// Throws Code::Data when the file is no calibration, one of another version, damaged, or one of
/// another network: of other weights or methods where `network` (as `Calibration::network`; empty:
/// any) is not the file's, or of other values (named by the first one that differs).
Calibration read_calibration(const std::filesystem::path& path, const Graph& graph,
                             const Placement& placement, const std::string& network = "");

/// A calibration without its network.
struct KeptSketch {
  std::vector<std::string> values;  ///< that share the grid
  Sketch sketch;
};
struct KeptCalibration {
  int64_t images = 0;
  std::vector<KeptSketch> groups;
};
KeptCalibration read_kept(const std::filesystem::path& path);

}  // namespace octet
