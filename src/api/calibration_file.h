#pragma once

#include <filesystem>

#include "graph/graph.h"
#include "quant/calibrate.h"

namespace octet {

/// A calibration on disk (.calib): JSON of this form, one entry for each group of values that share
/// a grid which comes from data.
///
///     {"format": "octet calibration", "version": 1, "images": 1024,
///      "groups": [{"values": ["conv1", "relu1"], "moving": [-1.5, 2], "range": [-1.7, 2.2],
///                  "exponent": -10, "first": -1741, "counts": [3, 0, 7, ...]}, ...]}
///
/// Bin i of `counts` covers [first + i, first + i + 1) x 2^exponent; a group that no data reached
/// has neither range nor counts. Numbers are exact: what is read back is what was written.
void write_calibration(const std::filesystem::path& path, const Graph& graph,
                       const Placement& placement, const Calibration& calibration);

/// Throws Code::Data when the file is no calibration, one of another version, damaged, or one of
/// another network (named by the first value that differs).
Calibration read_calibration(const std::filesystem::path& path, const Graph& graph,
                             const Placement& placement);

}  // namespace octet
