#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "cli/workplace.h"
#include "support/onnx_model.h"

namespace octet {
namespace {

namespace fs = std::filesystem;
using test::onnx_model;
using test::run_octet;
using test::Workplace;

/// A network whose images' height and width the file leaves open.
constexpr const char* kOpen = R"(g (float[N, 1, H, W] image) => (float[N, 3] y)
    <float[3, 1, 3, 3] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -2, -3, -4, -5, -6, -7, -8, -9,
                            1, 1, 1, 0, 0, 0, -1, -1, -1}> {
      [conv] c = Conv<pads = [1, 1, 1, 1]>(image, w) r = Relu(c)
      p = GlobalAveragePool(r) y = Flatten(p) })";

constexpr const char* kFixed = R"(g (float[N, 1, 8, 8] x) => (float[N, 64] y) <float[1] w = {2}> {
    [product] m = Mul(x, w) y = Flatten(m) })";

struct BadModel {
  const char* name;
  const char* text;
  std::function<void(onnx::GraphProto&)> change;
  int status;
  const char* error;  ///< after the model's path
  const char* options = "";
};

void make_external(onnx::GraphProto& graph, const char* location) {
  auto& tensor = *graph.mutable_initializer(0);
  tensor.clear_float_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  auto& place = *tensor.add_external_data();
  place.set_key("location");
  place.set_value(location);
}

void expect_refused(const Workplace& place, const BadModel& row) {
  auto model = onnx_model(row.text);
  if (row.change) row.change(*model.mutable_graph());
  test::write_model(place.folder(), model, "bad.onnx");
  const std::string arguments =
      std::string("quantize @bad.onnx --data @data.yaml -o @a.onnx -o @a.tflite ") + row.options;
  const std::string error = std::string("bad.onnx") + row.error;
  test::expect_refused(place, {row.name, arguments.c_str(), row.status, error.c_str()});
}

TEST(BadModels, AreRefusedInOneLine) {
  const Workplace place;
  const BadModel cases[] = {
      {"cycle",
       "g (float[N, 1, 8, 8] x) => (float[N, 64] y) { [sum] a = Add(x, b) b = Relu(a) y = "
       "Flatten(b) }",
       {},
       2,
       ": the graph has a cycle of length 2: node \"b\" (Relu) needs its own output, by its input "
       "'a'; wanted none: export the network without the loop"},
      {"missing initializer", kFixed, [](auto& graph) { graph.clear_initializer(); }, 2,
       ": node \"product\" (Mul): its input 'w' is made by no node, and is neither an input nor an "
       "initializer of the graph; export the network with its weights"},
      {"undeclared output", kFixed,
       [](auto& graph) { graph.mutable_output(0)->set_name("logits"); }, 2,
       ": the graph output 'logits' is made by no node; export the network again"},
      {"no output", kFixed, [](auto& graph) { graph.clear_output(); }, 1,
       " has 1 inputs and 0 outputs; wanted one input of images and one output of logits"},
      {"made twice", kFixed, [](auto& graph) { graph.mutable_node(1)->set_output(0, "m"); }, 2,
       ": the value 'm' is made twice: by node \"product\" (Mul) and by node \"m\" (Flatten); "
       "wanted "
       "one maker"},
      {"a dimension of zero",
       "g (float[N, 1, 0, 8] x) => (float[N, 0] y) { y = Flatten(x) }",
       {},
       2,
       ": its input 'x' has the shape Nx1x0x8; wanted no dimension of 0"},
      {"open sizes",
       kOpen,
       {},
       2,
       ": its input 'image' has the shape Nx1xNxN, in which only the first N (the batch) may be "
       "open; give the size of the images, such as --shape image=Nx1x224x224 (in a recipe, 'shape: "
       "Nx1x224x224')"},
      {"external data are missing", kFixed, [](auto& graph) { make_external(graph, "w.bin"); }, 2,
       ": the tensor 'w': its external data 'w.bin' are missing; copy the file into the model's "
       "folder"},
      {"external data outside", kFixed, [](auto& graph) { make_external(graph, "../w.bin"); }, 2,
       ": the tensor 'w': its external data '../w.bin' lie outside the model's folder; wanted a "
       "relative path to a file inside it: copy the file there"},
      {"unsupported type", kFixed,
       [](auto& graph) {
         graph.mutable_initializer(0)->set_data_type(onnx::TensorProto::COMPLEX64);
       },
       1,
       ": the tensor 'w' has the element type COMPLEX64, which octet does not support; wanted one "
       "of "
       "FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT8, UINT8, INT16, UINT16, INT32, INT64, BOOL"},
  };
  for (const BadModel& row : cases) expect_refused(place, row);
}

TEST(BadModels, AreRefusedWhereAValueHasNoElements) {
  const Workplace place;
  struct Row {
    const char* name;
    const char* text;
    const char* error;
  };
  const Row rows[] = {
      {"a weight of no elements",
       "g (float[N, 1, 8, 8] x) => (float[N, 0] y) <float[0, 1, 3, 3] w = {}> { [c] m = Conv(x, w) "
       "y "
       "= Flatten(m) }",

       "node \"c\" (Conv): cannot be computed on inputs of shape [1x1x8x8, 0x1x3x3]: Given "
       "groups=1, "
       "expected weight to be at least 1 at dimension 0, but got weight of size [0, 1, 3, 3] "
       "instead"},
      {"an inner value of no elements",
       "g (float[N, 1, 8, 8] x) => (float[N, 0] y) <int64[1] i = {0}, int64[1] a = {1}> { [s] m = "
       "Slice(x, i, i, a) y = Flatten(m) }",
       "node \"s\" (Slice): its output 'm' has the shape Nx0x8x8; wanted no dimension of 0"},
      {"an inner value of no elements, joined",
       "g (float[N, 1, 8, 8] x) => (float[N, 0] y) <int64[1] i = {0}, int64[1] a = {1}> { [s] m = "
       "Slice(x, i, i, a) [r] r = Relu(m) [j] k = Concat<axis = 1>(x, r) y = Flatten(k) }",
       "node \"s\" (Slice): its output 'm' has the shape Nx0x8x8; wanted no dimension of 0"},
  };
  for (const Row& row : rows) {
    test::write_model(place.folder(), onnx_model(row.text), "bad.onnx");
    test::expect_refused(
        place,
        {row.name, "quantize @bad.onnx --data @data.yaml -o @a.onnx -o @a.tflite", 2, row.error});
  }
}

TEST(BadModels, AreRefusedWithShapesThatDoNotFit) {
  const Workplace place;
  const BadModel cases[] = {
      {"contradicts",
       kOpen,
       {},
       2,
       ": the shape Nx3x8x8 contradicts the file, where the input 'image' is Nx1xNxN; wanted the "
       "same sizes wherever the file gives one",
       "--shape Nx3x8x8"},
      {"names no input",
       kOpen,
       {},
       2,
       ": the shape x=Nx1x8x8 names no input of the network; wanted one of: image",
       "--shape x=Nx1x8x8"},
      {"twice",
       kOpen,
       {},
       2,
       ": the input 'image' was given two shapes; wanted one",
       "--shape image=Nx1x8x8 --shape Nx1x8x8"},
  };
  for (const BadModel& row : cases) expect_refused(place, row);
  test::expect_refused(
      place, {"malformed", "quantize @bad.onnx --data @data.yaml -o @a.onnx --shape 1x0x8x8", 2,
              "'1x0x8x8' is no shape of an input; wanted NAME=1x3x224x224 (sizes from 1 to 65536, "
              "the first may be N), or without NAME= where the network has one input"});
  test::expect_refused(
      place, {"not the images'",
              "quantize @bad.onnx --data @data.yaml -o @a.onnx --shape Nx1x65536x65536", 2,
              "the images are 1x8x8, the network wants 1x65536x65536; set 'size' and 'channels' in "
              "the data description, or use other data"});
}

TEST(BadModels, AreRefusedAsFiles) {
  const Workplace place;
  fs::create_directory(place.file("folder.onnx"));
  fs::resize_file(place.write("huge.onnx", "x"), uintmax_t{3} << 30);
  test::expect_refused(place, {"folder", "quantize @folder.onnx --data @data.yaml -o @a.onnx", 2,
                               "cannot read folder.onnx: it is not a file"});
  test::expect_refused(
      place, {"huge", "quantize @huge.onnx --data @data.yaml -o @a.onnx", 2,
              "huge.onnx has 3221225472 bytes; an ONNX file holds less than 2 GiB: export the "
              "network with external data (onnx.save with save_as_external_data=True)"});
}

TEST(BadModels, AreRefusedByARecipe) {
  const Workplace place;
  const auto recipe = [&](const char* shape) {
    place.write("recipe.yaml",
                std::string("name: a\nmodel: bad.onnx\n") + shape + "data: data.yaml\n");
  };
  test::write_model(place.folder(), onnx_model(kOpen), "bad.onnx");
  recipe("");
  test::expect_refused(
      place, {"open", "run @recipe.yaml --out @out", 2,
              "bad.onnx: its input 'image' has the shape Nx1xNxN, in which only the first "
              "N (the batch) may be open; give the size of the images, such as --shape "
              "image=Nx1x224x224 (in a recipe, 'shape: Nx1x224x224')"});
  recipe("shape: Nx3x8x8\n");
  test::expect_refused(place, {"contradicts", "run @recipe.yaml --out @out", 2,
                               "bad.onnx: the shape Nx3x8x8 contradicts the file, where the input "
                               "'image' is Nx1xNxN; wanted the same sizes wherever the file gives "
                               "one"});
  recipe("shape: 8 by 8\n");
  test::expect_refused(place, {"malformed", "run @recipe.yaml --out @out", 2,
                               "recipe.yaml:3: 'shape' is '8 by 8'; wanted NAME=1x3x224x224 (sizes "
                               "from 1 to 65536, the first may be N), or without NAME= where the "
                               "network has one input"});
}

TEST(OpenSizes, AreQuantizedForTheShapeThatIsGiven) {
  const Workplace place;
  test::write_model(place.folder(), onnx_model(kOpen), "open.onnx");
  for (const char* shape : {"Nx1x8x8", "image=-1x1x8x8", "image=1x1x8x8"}) {
    const auto made = run_octet({"quantize", "--shape", shape, place.file("open.onnx"), "--data",
                                 place.file("data.yaml"), "-o", place.file("q.onnx"), "-o",
                                 place.file("q.tflite")});
    EXPECT_EQ(made.status, 0) << shape << ": " << made.err;
    for (const char* file : {"q.onnx", "q.tflite"}) {
      const auto ended = run_octet({"eval", place.file(file), "--data", place.file("data.yaml")});
      EXPECT_EQ(ended.status, 0) << shape << ": " << ended.err;
      EXPECT_TRUE(ended.out.contains("24 images")) << ended.out;
    }
  }
}

TEST(OpenSizes, AreSetByARecipe) {
  const Workplace place;
  test::write_model(place.folder(), onnx_model(kOpen), "open.onnx");
  place.write("recipe.yaml",
              "name: a\nmodel: open.onnx\nshape: image=Nx1x8x8\ndata: data.yaml\n"
              "qat: {epochs: 1, batch: 8}\nevaluation: {latency_runs: 1}\n");
  const auto ended = run_octet({"run", place.file("recipe.yaml"), "--out", place.file("out")});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(fs::exists(place.file("out/int8.onnx")));
  EXPECT_TRUE(fs::exists(place.file("out/int8.tflite")));
}

}  // namespace
}  // namespace octet
