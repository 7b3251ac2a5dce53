#pragma once

#include <string>

#include "networks/builder.h"

namespace octet {

/// The multi-scale linear attention of EfficientViT (H. Cai et al., 2023, section 3.1, "LiteMLA")
/// over the pixels of an image, with the shape of `x`: queries, keys and values of `head` channels
/// each from a 1x1 convolution, and once more from what a depthwise 5x5 and a grouped 1x1
/// convolution make of them. ReLU of queries and keys stands for the softmax; each pixel's weights
/// are divided by their sum plus 1e-15. Images of more pixels than `head` take the order of
/// products that is linear in them, as the authors do; the function is the same.
ValueId linear_attention(NetworkBuilder& net, const std::string& name, ValueId x, int64_t head);

}  // namespace octet
