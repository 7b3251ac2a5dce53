#pragma once

#include <optional>
#include <vector>

#include "quant/channels/region.h"

namespace octet {

/// Inputs that are scaled together with the output: op(s x) = s op(x) for s > 0 (Relu, LeakyRelu,
/// PRelu, pooling, Reshape, Add, Mul by what does not scale, ...). Empty for any other operator.
std::vector<size_t> scaled_operands(const Graph& graph, const Node& node);

/// The constant that an Add, with one scaled operand, adds: it has to be scaled too.
std::optional<size_t> shift_operand(const Graph& graph, const Node& node);

/// The layout of the output, given that of a scaled operand, and the reverse; nullopt where
/// channels do not stay whole.
std::optional<ChannelLayout> layout_after(const Graph& graph, const Node& node, size_t operand,
                                          const ChannelLayout& layout);
std::optional<ChannelLayout> layout_before(const Graph& graph, const Node& node, size_t operand,
                                           const ChannelLayout& layout);

/// The dimension that is the channels; nullopt where they are no dimension of their own.
std::optional<size_t> channel_axis(const Shape& shape, const ChannelLayout& layout);

/// The layout of channels that are dimension `axis`; nullopt where an extent after it is open.
std::optional<ChannelLayout> layout_of_axis(const Shape& shape, size_t axis);

}  // namespace octet
