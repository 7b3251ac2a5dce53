// Averages and sums over windows and axes, and resized images: the dialects against TFLite.
#include "dialects/tflite_case.h"

namespace octet {
namespace {

using test::TfliteCase;
using Ints = std::vector<int64_t>;

TEST(TfliteDialect, AveragesOverWindows) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float scale = net.power(-20, 20);
    const QuantParams grid = net.grid(scale);
    const ValueId x = net.input({1, net.draw(1, 70), net.draw(5, 12), net.draw(5, 12)}, grid);
    const Ints kernel{net.draw(1, 4), net.draw(1, 4)};
    std::map<std::string, Attribute> attributes{{"kernel_shape", kernel},
                                                {"strides", Ints{net.draw(1, 3), net.draw(1, 3)}}};
    const int kind = net.draw(0, 3);
    if (kind == 0) attributes["auto_pad"] = std::string("SAME_UPPER");
    if (kind == 1) {
      attributes["pads"] = Ints{kernel[0] / 2, kernel[1] / 2, kernel[0] / 2, kernel[1] / 2};
      attributes["count_include_pad"] = int64_t{1};
    }
    net.node("AveragePool", {x}, attributes);
    const bool same_grid = kind == 0 || net.draw(0, 1) == 0;
    const QuantParams out = same_grid ? grid : net.grid(scale * net.power(-3, 3));
    if (net.draw(0, 3) == 0) net.activation(0, std::numeric_limits<float>::infinity());
    net.write(out);
    net.expect_equal();
  }
}

TEST(TfliteDialect, AveragesImages) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float scale = net.power(-20, 20);
    const QuantParams grid = net.grid(scale);
    const ValueId x = net.input({1, net.draw(1, 70), net.draw(1, 12), net.draw(1, 12)}, grid);
    net.node("GlobalAveragePool", {x});
    net.write(seed % 4 == 0 ? grid : net.grid(scale * net.power(-5, seed % 5 == 0 ? 18 : 2)));
    net.expect_equal();
  }
}

TEST(TfliteDialect, AveragesOverAxes) {
  const std::vector<Ints> choices{{1}, {2}, {3}, {2, 3}, {1, 2}, {1, 2, 3}, {-1}, {1, 3}};
  for (unsigned seed = 0; seed < 200; ++seed) {
    TfliteCase net(seed);
    const float scale = net.power(-20, 20);
    const QuantParams grid = net.grid(scale);
    const bool image = net.draw(0, 2) > 0;
    const Shape shape{1, net.draw(1, 40), net.draw(1, 12), net.draw(1, 12)};
    Ints axes = image ? choices[static_cast<size_t>(net.draw(0, 7))]
                      : choices[static_cast<size_t>(net.draw(0, 1))];
    const int64_t keep = net.draw(0, 1);
    SCOPED_TRACE(
        std::format("{} image {} keep {} axes {} {}", seed, image, keep, axes.size(), axes[0]));
    const ValueId x = net.input(image ? shape : Shape{1, shape[1], shape[2]}, grid);
    net.node("ReduceMean", {x, net.parameter(Tensor::vector(axes))}, {{"keepdims", keep}});
    net.write(seed % 4 == 0 ? grid : net.grid(scale * net.power(-5, seed % 5 == 0 ? 18 : 2)));
    net.expect_equal();
  }
}

TEST(TfliteDialect, SumsOverAxes) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float scale = net.power(-20, 20);
    const QuantParams grid = net.grid(scale);
    const Shape shape{1, net.draw(1, 40), net.draw(1, 40)};
    const ValueId x = net.input(shape, grid);
    net.node("ReduceSum", {x, net.parameter(Tensor::vector(Ints{2}))}, {{"keepdims", int64_t{1}}});
    tflite::ReducerOptionsT options;
    options.keep_dims = true;
    net.write_as(tflite::BuiltinOperator_SUM, 2, options,
                 seed % 4 == 0 ? grid : net.grid(scale * net.power(-2, 8)), {1, shape[1], 1},
                 {{.value = x}, {.numbers = {2}}});
    net.expect_equal({false});  // TFLite's reference kernel leaves its result as it was
  }
}

TEST(TfliteDialect, ResizesImages) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    TfliteCase net(seed);
    const QuantParams grid = net.grid(net.power(-20, 20));
    const Shape shape{1, net.draw(1, 70), net.draw(1, 9), net.draw(1, 9)};
    const Shape out{1, shape[1], net.draw(1, 24), net.draw(1, 24)};
    const ValueId x = net.input(shape, grid);
    const std::string kind =
        std::vector<std::string>{"half_pixel", "align_corners", "asymmetric"}[seed % 3];
    SCOPED_TRACE(std::format("{} {}", seed, kind));
    net.node("Resize", {x},
             {{"mode", std::string("linear")}, {"coordinate_transformation_mode", kind}});
    const std::vector<TfliteCase::Operand> operands{
        {.value = x}, {.numbers = {static_cast<int32_t>(out[2]), static_cast<int32_t>(out[3])}}};
    tflite::ResizeBilinearOptionsT options;
    options.align_corners = kind == "align_corners";
    options.half_pixel_centers = kind == "half_pixel";
    net.write_as(tflite::BuiltinOperator_RESIZE_BILINEAR, 2, options, grid, out, operands);
    net.expect_equal();
  }
}

}  // namespace
}  // namespace octet
