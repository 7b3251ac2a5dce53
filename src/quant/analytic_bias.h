#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/quant_table.h"
#include "quant/channel_means.h"
#include "quant/place.h"

namespace octet {

/// What an analytic bias correction did.
struct AnalyticCorrection {
  int64_t layers = 0;                ///< whose biases moved
  std::vector<std::string> without;  ///< nodes that can have no bias, described
};

/// Analytic bias correction (M. Nagel et al., "Data-Free Quantization Through Weight Equalization
/// and Bias Correction", 2019, section 4.2.1): what rounding adds to a weight, times the mean of
/// what the layer reads, is what it adds to the mean of each output channel, and is taken from the
/// bias. The paper has these means from the BatchNormalization before the layer, as those of a
/// clipped normal distribution; here calibration has measured them (`means`, of the float network),
/// whatever stands before the layer, so no image is looked at again.
///
/// Means of a whole image stand for those of each place: zeros that a convolution pads with are not
/// told apart. `reference` is the float network, whose nodes are the graph's. Weights keep their
/// integers; biases get new entries in the table. Throws Code::Data naming a value without a mean.
AnalyticCorrection correct_biases_by_means(const Graph& reference, Graph& graph,
                                           Placement& placement, QuantTable& table,
                                           const ChannelMeans& means);

}  // namespace octet
