#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"
#include "graph/quant_table.h"
#include "quant/calibrate.h"
#include "quant/layers.h"
#include "quant/place.h"

namespace octet {

/// Sums of squares of numbers and of their errors.
struct NoiseSums {
  double signal = 0;
  double noise = 0;

  /// dB; infinite where there is no noise, minus infinity where it is no number.
  double sqnr() const;
  void add(const NoiseSums& other);
};

/// What quantizing one layer alone costs, all others in float.
struct LayerNoise {
  NoiseSums weight;       ///< of the layer's results, when its weights are rounded
  NoiseSums result;       ///< of the layer's results, when they are rounded
  NoiseSums logits;       ///< of the network's output, when both are
  double divergence = 0;  ///< sum over the images of KL(float || that), nats, of the softmax
  int64_t changed = 0;    ///< images with another prediction
};

struct NetworkNoise {
  std::vector<LayerNoise> layers;  ///< of the layers that were asked about
  int64_t images = 0;
};

/// How many images to look at together, so that their activations take a bounded memory; 1 or more.
int64_t images_at_once(const Graph& graph);

/// One pass over the images. Of each batch the float network's values are kept; then, layer by
/// layer, what follows from the layer is computed again, with its weights and results rounded and
/// everything else as it was, but that later values stay within their grids. So an image costs
/// about half as many runs of the network as there are layers. Small errors that are independent
/// add up at the output by their squares (as Y. Zhou et al., "Adaptive Quantization for Deep Neural
/// Network", AAAI 2018, take them), so a layer's part of the sum tells what it is worth to keep in
/// float. Unlike the noise at the layer itself it knows what comes after: clips and softmaxes that
/// hide errors, divisions that do not. Throws as `observe`.
NetworkNoise measure_noise(const Graph& graph, const Placement& placement, const QuantTable& table,
                           std::span<const Layer> layers, const NextImages& next);

}  // namespace octet
