#include "formats/onnx/fold_pixels.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "ops/op_def.h"
#include "ops/window.h"

namespace octet {
namespace {

// ONNX Runtime's convolution of uint8 by symmetric int8 (MLAS's ConvSym, for processors with VNNI)
// wants a multiple of 4 channels and 16 results, and 16 channels at once where it is depthwise.
// Others are copied to columns, or take a plain loop. Measured with version 1.23: what is won pays
// for 8192 products more per pixel.
constexpr int64_t kChannels = 4;
constexpr int64_t kOutputs = 16;
constexpr int64_t kAddedProducts = 8192;
constexpr int64_t kWidest = 16;

int64_t floor_div(int64_t a, int64_t b) { return (a >= 0 ? a : a - b + 1) / b; }

/// How one convolution is folded: `out` neighbours of its result into one, and `in` of its input.
struct Fold {
  Window window;
  int64_t out = 1;
  int64_t in = 1;
  int64_t first = 0;   ///< the leftmost wide pixel that is seen, from the one in front
  int64_t kernel = 1;  ///< wide pixels that are seen in a row
  int64_t end = 0;     ///< wide pixels of padding behind

  /// Neighbour `j`'s tap `t`: its place in the row that starts at the wide pixel in front.
  int64_t place(int64_t j, int64_t t) const {
    return j * window.stride[1] - window.begin[1] + t * window.dilation[1];
  }
};

Fold fold_of(const Window& window, int64_t out, int64_t columns, int64_t out_columns) {
  Fold fold{.window = window, .out = out, .in = out * window.stride[1]};
  fold.first = floor_div(fold.place(0, 0), fold.in);
  fold.kernel = floor_div(fold.place(out - 1, window.kernel[1] - 1), fold.in) - fold.first + 1;
  fold.end = out_columns / out - 1 + fold.kernel + fold.first - columns / fold.in;
  return fold;
}

/// The narrowest fold that takes a convolution there; nullopt: it is there, or that does not pay.
std::optional<Fold> choose(const Window& window, const Shape& weight, int64_t groups,
                           const Shape& in, const Shape& out) {
  const int64_t channels = in[1];
  const int64_t outputs = out[1];
  const bool fast = groups == 1 ? channels % kChannels == 0 && outputs >= kOutputs
                                : weight[1] > 1 || outputs > channels || channels % kOutputs == 0;
  if (fast) return std::nullopt;
  for (int64_t width = 2; width <= kWidest; ++width) {
    const int64_t wide = width * window.stride[1];
    if (out[3] % width != 0 || out[3] == width || in[3] % wide != 0) continue;
    if (wide * channels % kChannels != 0 || width * outputs < kOutputs) continue;
    const Fold fold = fold_of(window, width, in[3], out[3]);
    const int64_t added =
        outputs * window.kernel[0] * (fold.kernel * wide * channels - window.kernel[1] * weight[1]);
    if (fold.end >= 0 && fold.first <= 0 && added <= kAddedProducts) return fold;
  }
  return std::nullopt;
}

/// The weight [outputs, inputs / groups, rows, columns] for wide pixels.
Tensor spread(const Tensor& weight, const Fold& fold, int64_t groups) {
  const int64_t outputs = weight.shape[0];
  const int64_t of_group = weight.shape[1];
  const int64_t inputs = of_group * groups;
  const int64_t rows = weight.shape[2];
  const int64_t columns = weight.shape[3];
  Tensor wide(weight.dtype, {fold.out * outputs, fold.in * inputs, rows, fold.kernel});
  const auto from = weight.as<float>();
  const auto to = wide.as<float>();
  for (int64_t i = 0; i < weight.size(); ++i) {
    const int64_t t = i % columns;
    const int64_t row = i / columns % rows;
    const int64_t c = i / (columns * rows) % of_group;
    const int64_t o = i / (columns * rows * of_group);
    const int64_t input = o / (outputs / groups) * of_group + c;
    for (int64_t j = 0; j < fold.out; ++j) {
      const int64_t pixel = floor_div(fold.place(j, t), fold.in);
      const int64_t channel = (fold.place(j, t) - pixel * fold.in) * inputs + input;
      const int64_t line = ((j * outputs + o) * fold.in * inputs + channel) * rows + row;
      to[static_cast<size_t>(line * fold.kernel + pixel - fold.first)] =
          from[static_cast<size_t>(i)];
    }
  }
  return wide;
}

template <class T>
std::vector<T> repeated(const std::vector<T>& numbers, int64_t times) {
  std::vector<T> all;
  for (int64_t i = 0; i < times; ++i) all.insert(all.end(), numbers.begin(), numbers.end());
  return all;
}

QuantParams repeated(QuantParams params, int64_t times) {
  if (params.per_tensor()) return params;
  params.scale = repeated(params.scale, times);
  params.zero_point = repeated(params.zero_point, times);
  return params;
}

/// An image convolution on grids, whose weights are the network's own.
bool is_integer(const Graph& graph, const QuantTable& table, const Node& conv) {
  const Tensor* weight = graph.constant_input(conv, 1);
  if (!weight || weight->shape.size() != 4) return false;
  const bool known = std::ranges::all_of(
      conv.inputs, [&](ValueId in) { return in == kAbsent || table.find(in) != nullptr; });
  return known &&
         (table.find(conv.inputs[1])->per_tensor() || table.find(conv.inputs[1])->axis == 0);
}

/// The node whose result is the first one on a grid: the convolution, or an activation whose
/// rounding is the convolution's own. kNone: there is none.
constexpr NodeId kNone = -1;
NodeId last_of(const Graph& graph, const QuantTable& table, NodeId conv) {
  const ValueId sum = graph.node(conv).outputs[0];
  if (table.find(sum)) return conv;
  const auto users = graph.users(sum);
  if (users.size() != 1 || !table.find(graph.node(users[0]).outputs[0])) return kNone;
  const QuantRule& rule = op_of(graph.node(users[0])).quant.value;
  return std::holds_alternative<Absorbable>(rule) ? users[0] : kNone;
}

struct Plan {
  NodeId conv;
  NodeId last;
  Fold fold;
};

std::optional<Plan> plan(const Graph& graph, const QuantTable& table, NodeId id) {
  const Node& conv = graph.node(id);
  if (conv.op != "Conv" || !is_integer(graph, table, conv)) return std::nullopt;
  const NodeId last = last_of(graph, table, id);
  if (last == kNone) return std::nullopt;
  const Value& in = graph.value(conv.inputs[0]);
  const Value& out = graph.value(graph.node(last).outputs[0]);
  if (!in.shape_known || !out.shape_known) return std::nullopt;
  const Shape& weight = graph.value(conv.inputs[1]).constant->shape;
  const Window window = window_of(conv, std::span(weight).subspan(2), in.shape[2], in.shape[3]);
  const auto fold = choose(window, weight, conv.integer("group", 1), in.shape, out.shape);
  return fold ? std::optional<Plan>({id, last, *fold}) : std::nullopt;
}

class PixelFolder {
 public:
  PixelFolder(FoldedNetwork& network, std::map<NodeId, Plan> plans)
      : graph_(network.graph), table_(network.table), plans_(std::move(plans)) {}

  void run() {
    for (const NodeId id : std::vector(graph_.order())) {
      if (const auto found = plans_.find(id); found != plans_.end()) {
        convolve(found->second);
      } else if (const int64_t width = shared_width(id); width > 0) {
        carry(id, width);
      }
    }
    for (const auto& [value, wide] : wide_) {
      if (graph_.is_output(value) || !graph_.users(value).empty()) narrow(value, wide.value);
    }
    graph_.sort();
  }

 private:
  /// The form of a value in which `width` neighbours are one pixel.
  struct Wide {
    ValueId value;
    int64_t width;
  };

  void convolve(const Plan& plan) {
    const Node conv = graph_.node(plan.conv);
    const ValueId result = graph_.node(plan.last).outputs[0];
    const Shape& in = graph_.value(conv.inputs[0]).shape;
    const int64_t width = plan.fold.in;
    const auto known = wide_.find(conv.inputs[0]);
    ValueId x = known != wide_.end() && known->second.width == width
                    ? known->second.value
                    : reordered(conv.name + "/folded", conv.inputs[0],
                                {-1, in[2], in[3] / width, in[1] * width});
    x = spread_conv(conv, x, plan.fold);
    graph_.remove(plan.conv);
    if (plan.last != plan.conv) {
      Node clip = graph_.node(plan.last);
      graph_.remove(plan.last);
      clip.inputs[0] = x;
      x = graph_.add_op(clip.op, clip.name, clip.inputs, clip.attributes);
    }
    table_.set(x, *table_.find(result));
    wide_[result] = {x, plan.fold.out};
  }

  /// Of a pointwise node all of whose operands are wide alike, or one number; 0: it is none.
  int64_t shared_width(NodeId id) const {
    const Node& node = graph_.node(id);
    const QuantRule& rule = op_of(node).quant.value;
    const auto* rescale = std::get_if<Rescale>(&rule);
    const bool fits = std::holds_alternative<Pointwise>(rule) ||
                      std::holds_alternative<Absorbable>(rule) || (rescale && rescale->elementwise);
    if (!fits || table_.looked_up(id) || last_of(graph_, table_, id) == kNone) return 0;
    int64_t width = 0;
    for (const ValueId in : node.inputs) {
      if (in == kAbsent || (graph_.is_constant(in) && graph_.value(in).constant->size() == 1)) {
        continue;
      }
      const auto found = wide_.find(in);
      const bool alike = found != wide_.end() && (width == 0 || width == found->second.width) &&
                         graph_.value(in).shape == graph_.value(node.outputs[0]).shape;
      if (!alike) return 0;
      width = found->second.width;
    }
    return width;
  }

  void carry(NodeId id, int64_t width) {
    Node node = graph_.node(id);
    graph_.remove(id);
    for (ValueId& in : node.inputs) {
      if (const auto found = wide_.find(in); found != wide_.end()) in = found->second.value;
    }
    const ValueId made = graph_.add_op(node.op, node.name, node.inputs, node.attributes);
    if (const QuantParams* grid = table_.find(node.outputs[0])) table_.set(made, *grid);
    wide_[node.outputs[0]] = {made, width};
  }

  /// Makes the value from its wide form, for those that read it as it was.
  void narrow(ValueId value, ValueId wide) {
    const Shape& shape = graph_.value(value).shape;
    const ValueId made =
        reordered(graph_.value(value).name + "/unfolded", wide, {-1, shape[2], shape[3], shape[1]});
    graph_.node(*graph_.producer(made)).outputs = {value};
    table_.set(value, *table_.find(made));
    table_.erase(made);
  }

  ValueId spread_conv(const Node& conv, ValueId x, const Fold& fold) {
    const Window& window = fold.window;
    const int64_t groups = conv.integer("group", 1);
    std::vector<ValueId> inputs{x, conv.inputs[1]};
    inputs[1] = graph_.add_constant(graph_.value(conv.inputs[1]).name + "/spread",
                                    spread(*graph_.value(conv.inputs[1]).constant, fold, groups));
    table_.set(inputs[1], repeated(*table_.find(conv.inputs[1]), fold.out));
    if (const ValueId bias = conv.input(2); bias != kAbsent) {
      const auto numbers = graph_.value(bias).constant->as<float>();
      const auto all = repeated(std::vector(numbers.begin(), numbers.end()), fold.out);
      const Shape shape{static_cast<int64_t>(all.size())};
      inputs.push_back(
          graph_.add_constant(graph_.value(bias).name + "/spread", Tensor::of<float>(shape, all)));
      table_.set(inputs[2], repeated(*table_.find(bias), fold.out));
    }
    const std::vector<int64_t> pads{window.begin[0], -fold.first, window.end[0], fold.end};
    return graph_.add_op("Conv", conv.name, std::move(inputs),
                         {{"pads", pads},
                          {"strides", std::vector<int64_t>{window.stride[0], 1}},
                          {"dilations", std::vector<int64_t>{window.dilation[0], 1}},
                          {"kernel_shape", std::vector<int64_t>{window.kernel[0], fold.kernel}}});
  }

  /// The image channels-last in another shape, and channels-first again: on one grid throughout.
  ValueId reordered(const std::string& name, ValueId image, const Shape& channels_last) {
    QuantParams grid = *table_.find(image);
    grid.origin = Origin::Observed;
    const auto moved = [&](const char* op, const std::string& node, std::vector<ValueId> inputs,
                           std::map<std::string, Attribute> attributes) {
      const ValueId out = graph_.add_op(op, node, std::move(inputs), std::move(attributes));
      table_.set(out, grid);
      return out;
    };
    const ValueId shape = graph_.add_constant(name + "/shape", Tensor::vector(channels_last));
    const ValueId last = moved("Transpose", name + "/channels last", {image},
                               {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
    return moved("Transpose", name, {moved("Reshape", name + "/pixels", {last, shape}, {})},
                 {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
  }

  Graph& graph_;
  QuantTable& table_;
  std::map<NodeId, Plan> plans_;
  std::map<ValueId, Wide> wide_;
};

}  // namespace

std::optional<FoldedNetwork> fold_pixels(const Graph& graph, const QuantTable& table) {
  std::map<NodeId, Plan> plans;
  for (const NodeId id : graph.order()) {
    if (const auto found = plan(graph, table, id)) plans.emplace(id, *found);
  }
  if (plans.empty()) return std::nullopt;
  FoldedNetwork folded{graph, table};
  PixelFolder(folded, std::move(plans)).run();
  return folded;
}

}  // namespace octet
