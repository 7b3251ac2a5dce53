#include "formats/onnx/input_shape.h"

#include <gtest/gtest.h>

#include "formats/onnx/onnx_file.h"
#include "support/error_of.h"
#include "support/onnx_model.h"

namespace octet {
namespace {

using test::onnx_model;
using test::write_model;

constexpr const char* kOpen = "g (float[N, 3, H, W] x) => (float[N, 3, H, W] y) { y = Relu(x) }";
constexpr const char* kTwo =
    "g (float[N, H] a, float[N, H] b) => (float[N, H] y) { y = Add(a, b) }";

TEST(InputShape, ReadsNamesAndSizes) {
  struct Case {
    const char* text;
    const char* name;
    Shape shape;
  };
  for (const Case& row : {Case{"1x3x8x9", "", {1, 3, 8, 9}}, Case{"Nx3x8x9", "", {-1, 3, 8, 9}},
                          Case{"x=-1x3x8x9", "x", {-1, 3, 8, 9}}, Case{"7", "", {7}},
                          Case{"a=b/c:0=2x65536", "a=b/c:0", {2, 65536}}}) {
    const auto parsed = parse_input_shape(row.text);
    ASSERT_TRUE(parsed) << row.text;
    EXPECT_EQ(parsed->name, row.name);
    EXPECT_EQ(parsed->shape, row.shape) << row.text;
  }
}

TEST(InputShape, RefusesOtherTexts) {
  for (const char* text :
       {"", "x=", "=1x3", "1x", "x3", "1xx3", "1x3x", "1x0x3", "1xNx3", "1x-1x3", "0x3", "-2x3",
        "1x3x8.5", "1x 3", "1,3,8,8", "1x65537", "1x99999999999999999999", "1X3", "+1x3"}) {
    EXPECT_FALSE(parse_input_shape(text)) << text;
  }
}

Graph read_with(const TempFolder& folder, const onnx::ModelProto& model,
                const std::vector<std::string>& texts) {
  std::vector<InputShape> shapes;
  for (const auto& text : texts) shapes.push_back(parse_input_shape(text).value());
  return read_onnx(write_model(folder, model), shapes);
}

Shape shape_of(const Graph& graph, std::string_view input) {
  return graph.value(graph.find(input).value()).shape;
}

TEST(InputShape, FillsWhatTheFileLeavesOpen) {
  const TempFolder folder;
  const auto open = onnx_model(kOpen);
  EXPECT_EQ(shape_of(read_with(folder, open, {}), "x"), (Shape{-1, 3, -1, -1}));
  EXPECT_EQ(shape_of(read_with(folder, open, {"Nx3x8x9"}), "x"), (Shape{-1, 3, 8, 9}));
  EXPECT_EQ(shape_of(read_with(folder, open, {"x=2x3x8x9"}), "x"), (Shape{2, 3, 8, 9}));
  // An open batch says nothing of a batch that is known.
  const auto fixed = onnx_model("g (float[4, 3, H] x) => (float[4, 3, H] y) { y = Relu(x) }");
  EXPECT_EQ(shape_of(read_with(folder, fixed, {"Nx3x8"}), "x"), (Shape{4, 3, 8}));
  const Graph two = read_with(folder, onnx_model(kTwo), {"b=Nx5", "a=2x5"});
  EXPECT_EQ(shape_of(two, "a"), (Shape{2, 5}));
  EXPECT_EQ(shape_of(two, "b"), (Shape{-1, 5}));
}

TEST(InputShape, GivesAnInputTheShapeThatItLacks) {
  const TempFolder folder;
  auto model = onnx_model(kOpen);
  model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_EQ(shape_of(read_with(folder, model, {"Nx3x8x9"}), "x"), (Shape{-1, 3, 8, 9}));
  EXPECT_EQ(folder.without(message_of([&] { read_with(folder, model, {}); })),
            "m.onnx: the input 'x' has no shape; give it one, such as --shape x=Nx3x224x224");
}

TEST(InputShape, CountsNoInitializersOfOldFilesAsInputs) {
  const TempFolder folder;
  auto model = onnx_model(
      "<ir_version: 3, opset_import: [\"\" : 21]> g (float[N, H] x, float[1] w) => (float[N, H] y) "
      "<float[1] w = {2}> { y = Mul(x, w) }");
  EXPECT_EQ(shape_of(read_with(folder, model, {"Nx5"}), "x"), (Shape{-1, 5}));
  EXPECT_EQ(folder.without(message_of([&] { read_with(folder, model, {"w=1"}); })),
            "m.onnx: the shape w=1 names no input of the network; wanted one of: x");
}

TEST(InputShape, RefusesWhatTheFileContradicts) {
  struct Case {
    const char* text;
    std::vector<std::string> shapes;
    const char* message;
  };
  const Case cases[] = {
      {kOpen,
       {"x=Nx1x8x8"},
       "the shape x=Nx1x8x8 contradicts the file, where the input 'x' is Nx3xNxN; wanted the same "
       "sizes wherever the file gives one"},
      {kOpen,
       {"3x8x8"},
       "the shape 3x8x8 contradicts the file, where the input 'x' is Nx3xNxN; wanted the same "
       "sizes "
       "wherever the file gives one"},
      {kOpen, {"y=Nx3x8x8"}, "the shape y=Nx3x8x8 names no input of the network; wanted one of: x"},
      {kTwo,
       {"Nx8"},
       "the shape Nx8 names none of the 2 inputs; wanted NAME=Nx8 with one of: a, b"},
      {kTwo, {"a=Nx8", "a=Nx9"}, "the input 'a' was given two shapes; wanted one"},
  };
  for (const Case& row : cases) {
    const TempFolder folder;
    const Error error = error_of([&] { read_with(folder, onnx_model(row.text), row.shapes); });
    EXPECT_EQ(error.code(), Code::Usage) << row.message;
    EXPECT_EQ(folder.without(error.what()), std::string("m.onnx: ") + row.message);
  }
}

}  // namespace
}  // namespace octet
