#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/affine_grid_generator.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/zeros.h>

#include <array>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/integer_list.h"

namespace octet {
namespace {

/// The place of the attribute's word among those that are known, which is ATen's number of it.
template <size_t N>
int64_t number_of(const Node& node, std::string_view attribute,
                  const std::array<std::string_view, N>& words) {
  const std::string given = node.text(attribute, words[0]);
  for (size_t i = 0; i < N; ++i) {
    if (given == words[i]) return static_cast<int64_t>(i);
  }
  fail(Code::Unsupported, "{}: '{}' is '{}'; known are {}, {} and {}", describe(node), attribute,
       given, words[0], words[1], words[2]);
}

/// Reads the image at the places of the grid (-1 to 1 from edge to edge), interpolating.
std::vector<at::Tensor> run_grid_sample(const OpCall& call) {
  constexpr std::array<std::string_view, 3> kModes{"linear", "nearest", "cubic"};
  constexpr std::array<std::string_view, 3> kPaddings{"zeros", "border", "reflection"};
  return {at::grid_sampler(call.in(0), call.in(1), number_of(call.node, "mode", kModes),
                           number_of(call.node, "padding_mode", kPaddings),
                           call.node.integer("align_corners", 0) != 0)};
}

/// The places that GridSample reads for an affine map of the image, of which `size` is the shape.
std::vector<at::Tensor> run_affine_grid(const OpCall& call) {
  return {at::affine_grid_generator(call.in(0), integers_of(call.in(1)),
                                    call.node.integer("align_corners", 0) != 0)};
}

/// One spatial dimension of Col2Im.
struct ColumnAxis {
  int64_t image;  ///< size of the image with its pads
  int64_t block;
  int64_t stride;
  int64_t dilation;
  int64_t before;  ///< pads
  int64_t after;
  int64_t steps() const { return (image - dilation * (block - 1) - 1) / stride + 1; }
};

std::vector<ColumnAxis> axes_of_columns(const OpCall& call) {
  const auto image = integers_of(call.in(1));
  const auto block = integers_of(call.in(2));
  const size_t rank = image.size();
  const auto dilations = call.node.integers("dilations", std::vector<int64_t>(rank, 1));
  const auto strides = call.node.integers("strides", std::vector<int64_t>(rank, 1));
  const auto pads = call.node.integers("pads", std::vector<int64_t>(2 * rank, 0));
  std::vector<ColumnAxis> axes;
  for (size_t d = 0; d < rank; ++d) {
    axes.push_back({image[d] + pads.at(d) + pads.at(d + rank), block.at(d), strides.at(d),
                    dilations.at(d), pads.at(d), pads.at(d + rank)});
  }
  return axes;
}

/// Which pixel of the flattened padded image each element of a column, at each step, comes from:
/// [product of blocks, product of steps].
at::Tensor pixels_of(const std::vector<ColumnAxis>& axes) {
  at::Tensor pixel = at::zeros({1, 1}, at::kLong);
  for (const ColumnAxis& axis : axes) {
    const at::Tensor inside = at::arange(axis.block, at::kLong) * axis.dilation;
    const at::Tensor step = at::arange(axis.steps(), at::kLong) * axis.stride;
    const at::Tensor place = inside.reshape({1, -1, 1, 1}) + step.reshape({1, 1, 1, -1});
    const at::Tensor wider = pixel.reshape({pixel.size(0), 1, pixel.size(1), 1});
    pixel = (wider * axis.image + place).reshape({pixel.size(0) * axis.block, -1});
  }
  return pixel;
}

/// Sums the blocks of columns [N, C * block, steps] where they overlap.
std::vector<at::Tensor> run_col2im(const OpCall& call) {
  const std::vector<ColumnAxis> axes = axes_of_columns(call);
  const at::Tensor pixels = pixels_of(axes);
  const at::Tensor columns = call.in(0).contiguous();
  const int64_t batch = columns.size(0);
  const int64_t channels = columns.size(1) / pixels.size(0);
  std::vector<int64_t> shape{batch, channels};
  int64_t size = 1;
  for (const ColumnAxis& axis : axes) {
    shape.push_back(axis.image);
    size *= axis.image;
  }
  at::Tensor image = at::index_add(at::zeros({batch, channels, size}, columns.options()), 2,
                                   pixels.reshape({-1}), columns.reshape({batch, channels, -1}))
                         .reshape(shape);
  for (size_t d = 0; d < axes.size(); ++d) {
    image = image.narrow(static_cast<int64_t>(d) + 2, axes[d].before,
                         axes[d].image - axes[d].before - axes[d].after);
  }
  return {image};
}

OpDef sample_row(std::string_view name, std::vector<std::string_view> attributes, RunFn run,
                 std::string_view reason) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = 1,
          .run = run,
          .quant = FloatOnly{reason},
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> sample_ops() {
  return {
      sample_row("GridSample", {"align_corners", "mode", "padding_mode"}, run_grid_sample,
                 "no target samples a grid in integers"),
      sample_row("AffineGrid", {"align_corners"}, run_affine_grid, "its output are coordinates"),
      sample_row("Col2Im", {"dilations", "pads", "strides"}, run_col2im,
                 "no target sums overlapping blocks in integers"),
  };
}

}  // namespace octet
