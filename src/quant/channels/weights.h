#pragma once

#include <optional>
#include <span>
#include <vector>

#include "quant/channels/region.h"

namespace octet {

/// Conv, ConvTranspose, Gemm (alpha and beta 1, A not turned) or MatMul with a constant float
/// weight.
bool is_weighted(const Graph& graph, const Node& node);

/// The channels of what a weighted operator puts out; nullopt for any other operator.
std::optional<ChannelLayout> made_layout(const Graph& graph, const Node& node);

/// Whether the weight tells channels of this layout of the operator's data apart.
bool reads_layout(const Graph& graph, const Node& node, const ChannelLayout& layout);

/// Raises `largest` to the magnitudes of the weights that make, or read, each channel.
void include_made(const Graph& graph, const ChannelEnd& maker, std::span<float> largest);
void include_read(const Graph& graph, const ChannelEnd& reader, std::span<float> largest);

/// Multiplies weights, and the bias of a maker, by channel. A constant that others read too is
/// copied first.
void scale_made(Graph& graph, const ChannelEnd& maker, std::span<const float> factors);
void scale_read(Graph& graph, const ChannelEnd& reader, std::span<const float> factors);
/// The same for a constant that is added to a value of this layout.
void scale_shift(Graph& graph, NodeId node, size_t input, const ChannelLayout& layout,
                 std::span<const float> factors);

/// Adds to the bias, one number per output channel; an operator without one gets one. Of Conv,
/// ConvTranspose and Gemm.
void add_to_bias(Graph& graph, NodeId node, std::span<const float> numbers);

/// The sum over all weights that read a channel, times `numbers` of the channels: what the output
/// moves by when each channel does, per output channel. Of an operator that sees no padding.
std::vector<float> product_with(const Graph& graph, const ChannelEnd& reader,
                                std::span<const float> numbers);

}  // namespace octet
