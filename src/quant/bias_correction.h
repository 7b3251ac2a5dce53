#pragma once

#include <functional>
#include <string>
#include <vector>

#include "octet/progress.h"
#include "quant/calibrate.h"

namespace octet {

/// Starts the calibration images over; each call gives the same ones.
using ImagePasses = std::function<NextImages()>;

/// What a bias correction did.
struct BiasCorrection {
  int64_t layers = 0;  ///< whose biases moved
  double before = 0;   ///< mean over channels of |mean error| / deviation of the channel
  std::vector<std::string> without;  ///< nodes that can have no bias, described
  /// Nodes that put out NaN or infinity for some image, rounded or in float; they keep their
  /// biases.
  std::vector<std::string> not_finite;
};

/// Empirical bias correction (M. Nagel et al., "Data-Free Quantization Through Weight Equalization
/// and Bias Correction", 2019, section 4.2 and appendix): rounding shifts the mean of every output
/// channel of a product. Layer after layer, in the order of execution, the mean over the images of
/// the layer's output, computed from the rounded values in front of it, is compared with that of
/// the float network (`reference`, whose nodes are the graph's), and the difference taken from the
/// bias. A layer without a bias gets one where its operator can have it.
///
/// Only a mean and a deviation for each channel are held; the images stream once through the float
/// network and once through the rounded one up to each layer. Weights keep their integers; biases
/// get new entries in the table. Throws Code::Data when there are no images.
BiasCorrection correct_biases(const Graph& reference, Graph& graph, Placement& placement,
                              QuantTable& table, const ImagePasses& images,
                              const ProgressSink& progress);

}  // namespace octet
