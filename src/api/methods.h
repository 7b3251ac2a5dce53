#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/stages.h"

namespace octet {

/// What a method may look at.
struct MethodContext {
  const CalibrationImages* images;  ///< nullptr where kept calibrations come without a data set
  const CalibrationSettings& settings;
  const ProgressSink& progress;
  std::vector<std::string>& notes;  ///< what was done, or why nothing: a line each
  /// For `refine`: the float network as it was calibrated, whatever other methods have moved since.
  const Graph* reference = nullptr;
  const Calibration* seen = nullptr;  ///< for `refine`
};

/// A way to win back, without labels, accuracy that rounding costs. Each stands in a file of its
/// own with the paper that it follows; here they get their names.
struct Method {
  std::string_view name;     ///< as users say it: "bias-correction"
  std::string_view summary;  ///< one line for lists
  bool needs_images = true;
  bool free_grids = false;  ///< wants scales of any size, and weights in the narrow range
  /// Changes the fused float network, before quantizers are placed and calibrated; or nullptr.
  void (*prepare)(Graph& graph, const MethodContext& context) = nullptr;
  /// Changes the calibrated network: its constants, and their entries; or nullptr.
  void (*refine)(QuantizedNetwork& network, const MethodContext& context) = nullptr;
};

/// In the order in which they run, whatever the order they are named in.
std::span<const Method> all_methods();

/// The methods of these names. Throws Code::Usage naming the known ones, or a method that needs
/// images where there are none.
std::vector<const Method*> methods_named(const std::vector<std::string>& names, bool images);

/// Those of the methods that change the float network, one after the other.
void run_preparing(std::span<const Method* const> methods, Graph& graph,
                   const MethodContext& context);

/// The first of the calibration images, `most` of them, from the beginning.
NextImages first_images(const MethodContext& context, int64_t most);

}  // namespace octet
