#include "quant/channels/attention_heads.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "quant/channels/statistics.h"
#include "quant/channels/through.h"
#include "quant/channels/weights.h"

namespace octet {
namespace {

/// An operator's part of the channels that attention reads.
struct HeadMaker {
  ChannelRegion region;  ///< its output, and the weighted operators that read it besides
  int64_t first = 0;     ///< of its channels among all
};

struct Attention {
  ValueId divisor = kAbsent;
  ValueId rows = kAbsent;  ///< [N, heads * rows, ...]: q, k and v of each head one after the other
  int64_t heads = 0;
  int64_t height = 0;       ///< rows of a head
  std::vector<bool> gated;  ///< by row: of q or k
  std::vector<HeadMaker> makers;
  ChannelRegion projection;  ///< a reader of the quotient's channels, without makers
};

/// The one Reshape that all of a value's operands begin with, where that is so.
std::optional<NodeId> common_reshape(const Graph& graph, ValueId value, int64_t heads) {
  std::set<NodeId> ends;
  std::set<ValueId> seen{value};
  std::vector<ValueId> open{value};
  while (!open.empty()) {
    const auto producer = graph.producer(open.back());
    open.pop_back();
    if (!producer) return std::nullopt;
    const Node& node = graph.node(*producer);
    const Shape& shape = graph.value(node.outputs[0]).shape;
    if (node.op == "Reshape" && shape.size() == 4 && shape[1] == heads) {
      ends.insert(*producer);
      continue;
    }
    if (is_weighted(graph, node)) return std::nullopt;
    for (const ValueId in : node.inputs) {
      if (in != kAbsent && !graph.is_constant(in) && seen.insert(in).second) open.push_back(in);
    }
  }
  return ends.size() == 1 ? std::optional(*ends.begin()) : std::nullopt;
}

bool unit_steps(const Graph& graph, const Node& slice) {
  if (slice.input(4) == kAbsent) return true;
  const Tensor* steps = graph.constant_input(slice, 4);
  return steps && steps->size() == 1 && steps->as<int64_t>()[0] == 1;
}

/// Which rows Relus read: q and k. Empty where rows are not cut into such and others.
std::vector<bool> gated_rows(const Graph& graph, ValueId heads) {
  const Shape& shape = graph.value(heads).shape;
  std::vector<int> readers(static_cast<size_t>(shape[2]), 0);
  std::vector<bool> gated(readers.size(), false);
  for (const NodeId id : graph.users(heads)) {
    const Node& node = graph.node(id);
    const Tensor* begin = graph.constant_input(node, 1);
    const Tensor* axes = graph.constant_input(node, 3);
    const bool cut = node.op == "Slice" && begin && axes && begin->size() == 1 &&
                     axes->size() == 1 && unit_steps(graph, node);
    if (!cut || (axes->as<int64_t>()[0] != 2 && axes->as<int64_t>()[0] != -2)) return {};
    const auto users = graph.users(node.outputs[0]);
    const bool gate = users.size() == 1 && graph.node(users[0]).op == "Relu";
    int64_t from = begin->as<int64_t>()[0];
    if (from < 0) from += shape[2];
    const int64_t count = graph.value(node.outputs[0]).shape[2];
    if (from < 0 || from + count > shape[2]) return {};
    for (int64_t row = from; row < from + count; ++row) {
      ++readers[static_cast<size_t>(row)];
      gated[static_cast<size_t>(row)] = gate;
    }
  }
  const bool once = std::ranges::all_of(readers, [](int count) { return count == 1; });
  return once ? gated : std::vector<bool>{};
}

/// The maker of a value whose other readers all have weights that can take the scale back.
std::optional<HeadMaker> head_maker(const Graph& graph, ValueId value, NodeId attention,
                                    int64_t first) {
  const auto producer = graph.producer(value);
  if (!producer || graph.is_output(value)) return std::nullopt;
  const auto layout = made_layout(graph, graph.node(*producer));
  if (!layout) return std::nullopt;
  HeadMaker maker{.region = {}, .first = first};
  maker.region.channels = layout->channels;
  maker.region.makers.push_back({*producer, *layout});
  for (const NodeId id : graph.users(value)) {
    if (id == attention) continue;
    const Node& reader = graph.node(id);
    if (!is_weighted(graph, reader) || !reads_layout(graph, reader, *layout)) return std::nullopt;
    maker.region.readers.push_back({id, *layout});
  }
  return maker;
}

/// What makes the rows: one operator, or several whose channels are concatenated.
std::vector<HeadMaker> head_makers(const Graph& graph, const Node& reshape) {
  const ValueId rows = reshape.inputs[0];
  const auto producer = graph.producer(rows);
  if (!producer || graph.users(rows).size() != 1) return {};
  const Node& node = graph.node(*producer);
  const bool joined = node.op == "Concat" && node.integer("axis", 0) == 1;
  std::vector<HeadMaker> makers;
  int64_t first = 0;
  for (const ValueId part : joined ? node.inputs : std::vector<ValueId>{rows}) {
    const NodeId reader = joined ? *producer : graph.users(rows)[0];
    auto maker = head_maker(graph, part, reader, first);
    if (!maker) return {};
    first += maker->region.channels;
    makers.push_back(std::move(*maker));
  }
  return makers;
}

/// The convolution behind the quotient, which reads `channels` channels.
std::optional<ChannelRegion> projection_behind(const Graph& graph, ValueId value,
                                               int64_t channels) {
  for (int steps = 0; steps < 8; ++steps) {
    const auto users = graph.users(value);
    if (users.size() != 1 || graph.is_output(value)) return std::nullopt;
    const Node& node = graph.node(users[0]);
    if (is_weighted(graph, node)) {
      const Shape& shape = graph.value(value).shape;
      const auto layout = shape.size() == 4 ? layout_of_axis(shape, 1) : std::nullopt;
      if (node.op != "Conv" || !layout || layout->channels != channels) return std::nullopt;
      ChannelRegion region;
      region.channels = channels;
      region.readers.push_back({users[0], *layout});
      return region;
    }
    value = node.outputs[0];
  }
  return std::nullopt;
}

std::optional<Attention> attention_of(const Graph& graph, const Node& quotient) {
  Attention found{.divisor = quotient.inputs[1]};
  const Shape& shape = graph.value(found.divisor).shape;
  if (graph.is_constant(found.divisor) || graph.is_constant(quotient.inputs[0]) ||
      shape.size() != 4) {
    return std::nullopt;
  }
  found.heads = shape[1];
  const auto reshape = common_reshape(graph, quotient.outputs[0], found.heads);
  if (!reshape) return std::nullopt;
  const Node& node = graph.node(*reshape);
  found.rows = node.inputs[0];
  found.height = graph.value(node.outputs[0]).shape[2];
  found.gated = gated_rows(graph, node.outputs[0]);
  found.makers = head_makers(graph, node);
  const Shape& rows = graph.value(found.rows).shape;
  const auto values = std::ranges::count(found.gated, false);
  if (found.gated.empty() || values == 0 || found.makers.empty() || rows.size() < 2 ||
      rows[1] != found.heads * found.height) {
    return std::nullopt;
  }
  auto projection = projection_behind(graph, quotient.outputs[0], found.heads * values);
  if (!projection) return std::nullopt;
  found.projection = std::move(*projection);
  return found;
}

/// Factors that make numbers alike, and 1 for those that are 0; `power` 1 wholly, 0.5 by the root.
/// What is nearly dead does not get all of the grid.
std::vector<double> evening(const std::vector<double>& numbers, double power) {
  constexpr double kMost = 32;
  const double most = std::ranges::max(numbers);
  std::vector<double> factors;
  for (const double number : numbers) {
    factors.push_back(number > 0 ? std::min(std::pow(most / number, power), kMost) : 1);
  }
  return factors;
}

using Seen = std::map<ValueId, std::vector<ChannelStatistics>>;

std::vector<double> magnitudes(const std::vector<ChannelStatistics>& channels) {
  std::vector<double> all;
  for (const ChannelStatistics& channel : channels) all.push_back(channel.magnitude());
  return all;
}

/// A factor for each channel of the rows.
std::vector<double> row_factors(const Graph& graph, const Attention& attention, const Seen& seen,
                                double alpha) {
  const std::vector<double> heads = evening(magnitudes(seen.at(attention.divisor)), 0.5);
  const NodeId reader = attention.projection.readers[0].node;
  const std::vector<float> weights = largest_read(graph, attention.projection);
  std::vector<double> costs = magnitudes(seen.at(graph.node(reader).inputs[0]));
  for (size_t c = 0; c < costs.size(); ++c) {
    costs[c] = weights[c] > 0 ? std::pow(costs[c], alpha) / std::pow(weights[c], 1 - alpha) : 0;
  }
  const std::vector<double> values = evening(costs, 1);
  const std::vector<double> rows = magnitudes(seen.at(attention.rows));
  std::vector<double> factors(rows.size());
  std::vector<double> most(2, 0);  // of v, and of q and k
  size_t value = 0;
  for (size_t c = 0; c < rows.size(); ++c) {
    const bool gate = attention.gated[c % attention.gated.size()];
    factors[c] = gate ? heads[c / attention.gated.size()] : values[value++];
    most[gate ? 1 : 0] = std::max(most[gate ? 1 : 0], factors[c] * rows[c]);
  }
  const double whole = std::ranges::max(rows);
  for (size_t c = 0; c < rows.size(); ++c) {
    const double group = most[attention.gated[c % attention.gated.size()] ? 1 : 0];
    if (group > 0) factors[c] *= whole / group;
  }
  return factors;
}

void scale_rows(Graph& graph, const Attention& attention, const std::vector<double>& factors) {
  for (const HeadMaker& maker : attention.makers) {
    std::vector<float> divisors;
    for (int64_t c = 0; c < maker.region.channels; ++c) {
      divisors.push_back(static_cast<float>(1 / factors[static_cast<size_t>(maker.first + c)]));
    }
    rescale_channels(graph, maker.region, divisors);
  }
  std::vector<float> back;
  for (size_t c = 0; c < factors.size(); ++c) {
    if (attention.gated[c % attention.gated.size()]) continue;
    back.push_back(static_cast<float>(1 / factors[c]));
  }
  rescale_channels(graph, attention.projection, back);
}

/// The largest difference of the outputs for the first images, over the largest output.
double difference(const Graph& before, const Graph& after, const NextImages& first,
                  const NextImages& again) {
  const std::vector<float> a = first_outputs(before, first);
  const std::vector<float> b = first_outputs(after, again);
  double most = 0;
  double apart = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, std::abs(double{a[i]}));
    apart = std::max(apart, std::abs(double{a[i]} - b[i]));
  }
  return std::isfinite(apart) && most > 0 ? apart / most : 1;
}

}  // namespace

HeadEqualization equalize_heads(Graph& graph, const std::function<NextImages()>& images,
                                double alpha) {
  constexpr double kSame = 1e-3;
  HeadEqualization done;
  std::vector<Attention> found;
  std::map<ValueId, ChannelLayout> watched;
  for (const NodeId id : graph.order()) {
    if (graph.node(id).op != "Div") continue;
    auto attention = attention_of(graph, graph.node(id));
    if (!attention) continue;
    const ChannelEnd& reader = attention->projection.readers[0];
    watched[attention->divisor] = *layout_of_axis(graph.value(attention->divisor).shape, 1);
    watched[attention->rows] = *layout_of_axis(graph.value(attention->rows).shape, 1);
    watched[graph.node(reader.node).inputs[0]] = reader.layout;
    found.push_back(std::move(*attention));
  }
  done.attentions = found.size();
  if (found.empty()) return done;
  const Seen seen = observe_channels(graph, watched, images());
  for (const Attention& attention : found) {
    const Graph before = graph;
    scale_rows(graph, attention, row_factors(graph, attention, seen, alpha));
    if (difference(before, graph, images(), images()) > kSame) {
      graph = before;
      continue;
    }
    ++done.equalized;
    const std::vector<double> heads = magnitudes(seen.at(attention.divisor));
    const double least = std::ranges::min(heads);
    if (least > 0) done.spread = std::max(done.spread, std::ranges::max(heads) / least);
  }
  return done;
}

}  // namespace octet
