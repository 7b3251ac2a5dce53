#pragma once

#include <string>

#include "networks/builder.h"

namespace octet {

/// Gates per channel of an image, from its means (Hu et al., 2018).
struct SqueezeExcite {
  int64_t squeezed = 0;  ///< channels between the two 1x1 convolutions; 0: no gate
  const char* act = "Relu";
  const char* gate = "HardSigmoid";
};

ValueId squeeze_excite(NetworkBuilder& net, const std::string& name, ValueId x,
                       const SqueezeExcite& shape);

/// 1x1 convolution to more channels, depthwise convolution, 1x1 convolution to fewer, without an
/// activation behind it (Sandler et al., 2018, section 3.3).
struct InvertedResidual {
  int64_t kernel;
  int64_t expanded;  ///< channels of the depthwise convolution; x's own: nothing expands them
  int64_t out;
  int64_t stride;
  const char* act;
  SqueezeExcite excite = {};         ///< behind the depthwise convolution
  bool only_last_is_normed = false;  ///< the first two convolutions have biases instead
};

/// A row of the table of MobileNetV3's blocks.
struct MobileNetV3Block {
  int64_t kernel;
  int64_t expanded;
  int64_t out;
  bool squeeze;
  const char* act;
  int64_t stride;
};

/// x is added where it has the shape of the result.
ValueId inverted_residual(NetworkBuilder& net, const std::string& name, ValueId x,
                          const InvertedResidual& block);

/// Two 3x3 convolutions and a shortcut (He et al., 2016, figure 2), which is a 1x1 convolution
/// where the shape changes.
ValueId basic_block(NetworkBuilder& net, const std::string& name, ValueId x, int64_t out,
                    int64_t stride);

/// 1x1, 3x3 and 1x1 convolutions, the last one to four times as many channels as `squeezed`, and a
/// shortcut as above (He et al., 2016, figure 5).
ValueId bottleneck_block(NetworkBuilder& net, const std::string& name, ValueId x, int64_t squeezed,
                         int64_t stride);

}  // namespace octet
