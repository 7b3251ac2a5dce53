#pragma once

#include <vector>

#include "quant/calibrate.h"
#include "quant/channels/region.h"

namespace octet {

struct Migration {
  size_t regions = 0;  ///< whose values were migrated
  double spread = 1;   ///< largest channel over the median one, of the worst region, before
  double evened = 1;   ///< the same afterwards
  std::vector<RefusedRegion> refused;
};

/// Migrates the difficulty of quantization from values to the weights that read them (G. Xiao et
/// al., "SmoothQuant: Accurate and Efficient Post-Training Quantization for Large Language Models",
/// 2022, equation 4): what is read is divided, per channel, by s = max|X|^alpha / max|W|^(1 -
/// alpha), and the weights multiplied; `alpha` from 0 to 1. The division goes into the weighted
/// operator that makes the value, through all that f(s x) = s f(x) holds for. Unlike equalization,
/// which balances two weights and needs no data, this balances a value, as it was seen on the
/// images, and the weight that reads it; both set the same scales, so the later one decides.
///
/// The scale and bias of a LayerNormalization need no migration here: lowering moves them wholly
/// into the products behind (`fold_forward`), and what is quantized is the normalized value.
Migration migrate_channels(Graph& graph, const NextImages& next, double alpha);

}  // namespace octet
