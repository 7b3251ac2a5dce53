#pragma once

#include <functional>
#include <map>
#include <vector>

#include "graph/graph.h"
#include "kernels/range.h"
#include "quant/channel_means.h"
#include "quant/place.h"
#include "quant/settings.h"
#include "quant/sketch.h"

namespace octet {

/// The range of every group whose rule is `FromData`, by group index.
using Ranges = std::map<size_t, Range>;

/// Fills `images` with the next calibration images (NCHW) and returns how many there are; 0 at the
/// end.
using NextImages = std::function<int64_t(std::vector<float>& images)>;

/// What to do about an image on which the network makes NaN or infinity.
struct BadImages {
  bool skip = false;  ///< go on without it; else it is an error
  /// How messages call the image that is the `number`-th given, from 0 on; may be empty.
  std::function<std::string(int64_t number)> name = {};
};

/// What one look at the calibration images leaves; its size does not depend on their number.
struct Calibration {
  std::map<size_t, Sketch> sketches;  ///< of every group whose rule is `FromData`, by group index
  ChannelMeans means = {};            ///< of what operators with weights and biases read
  int64_t images = 0;                 ///< that all this is of
  int64_t batch = 0;                  ///< images that were given together, at most
  std::vector<int64_t> skipped = {};  ///< images that were left out, by their numbers
  std::vector<std::string> skip_reasons = {};  ///< of the first kNamedBadImages, a line each
  std::string network = {};                    ///< which float network it is of; empty: not said

  /// Of the same network and placement: as if one look had seen both sets of images. Numbers of
  /// skipped images are each part's own.
  void merge(const Calibration& other);
};
inline constexpr size_t kNamedBadImages = 5;

/// Runs the float network over the images, one batch at a time, and makes a sketch of each group.
/// A batch in which NaN or infinity appears is run again image by image: the moving average counts
/// what is left of it as one batch. Throws Code::Numeric naming the image, and the value and node
/// where they first appear (no image where all of a batch are alike), Code::Data when there are no
/// images, or all are bad.
Calibration observe(const Graph& graph, const Placement& placement, const NextImages& next,
                    const BadImages& bad = {});

/// The range of the constants of a group: empty where it has none.
Range constants_of(const Group& group, const Graph& graph);

/// The ranges that the settings' observer chooses from the sketches, cut to the bounds of the
/// groups' activations. Constants of a group count with their exact range. Throws as
/// `observer_named`.
Ranges choose_ranges(const Placement& placement, const Calibration& calibration,
                     const CalibrationSettings& settings);

/// Both in one.
Ranges calibrate(const Graph& graph, const Placement& placement, const NextImages& next,
                 const CalibrationSettings& settings, const BadImages& bad = {});

}  // namespace octet
