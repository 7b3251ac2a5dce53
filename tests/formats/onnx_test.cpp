#include <gtest/gtest.h>

#include <cstring>
#include <format>
#include <functional>

#include "base/file.h"
#include "formats/onnx/onnx_file.h"
#include "runtime/session.h"
#include "support/graph_builder.h"
#include "support/onnx_model.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using test::onnx_model;
using test::random_tensor;
using test::write_model;

// --- what is written is read again ---------------------------------------------------------------

/// Reads what `write_onnx` made of the graph, whose outputs' shapes must be known.
Graph reread(const Graph& graph, const TempFolder& folder) {
  write_file(folder / "again.onnx", write_onnx(graph));
  return read_onnx(folder / "again.onnx");
}

TEST(OnnxFile, KeepsNamesAttributesAndShapes) {
  Graph graph;
  graph.name = "some network";
  const ValueId x = graph.add_input("the input", DType::Float32, {-1, 2, 6, 6});
  const ValueId w = graph.add_constant("w.0/weight", random_tensor({4, 2, 3, 3}, 1));
  const std::map<std::string, Attribute> conv = {
      {"pads", std::vector<int64_t>{1, 0, 1, 0}},
      {"group", int64_t{1}},
      {"auto_pad", std::string("NOTSET")},
      {"kernel_shape", std::vector<int64_t>{3, 3}},
  };
  const ValueId a = graph.add_op("Conv", "block/conv", {x, w}, conv);
  const ValueId b = graph.add_op("LeakyRelu", "block/act", {a}, {{"alpha", 0.125F}});
  graph.add_output(b);
  infer_shapes(graph);
  const TempFolder folder;
  const Graph again = reread(graph, folder);

  EXPECT_EQ(again.name, "some network");
  ASSERT_EQ(again.inputs().size(), 1u);
  EXPECT_EQ(again.value(again.inputs()[0]).name, "the input");
  EXPECT_EQ(again.value(again.inputs()[0]).shape, (Shape{-1, 2, 6, 6}));
  EXPECT_EQ(again.value(again.outputs().at(0)).name, "block/act");
  ASSERT_EQ(again.order().size(), 2u);
  const Node& first = again.node(again.order()[0]);
  EXPECT_EQ(first.name, "block/conv");
  EXPECT_EQ(first.integers("pads"), (std::vector<int64_t>{1, 0, 1, 0}));
  EXPECT_EQ(first.integer("group", 7), 1);
  EXPECT_EQ(first.text("auto_pad", ""), "NOTSET");
  EXPECT_EQ(again.node(again.order()[1]).number("alpha", 0), 0.125F);
  const auto weight = again.find("w.0/weight");
  ASSERT_TRUE(weight);
  EXPECT_EQ(again.value(*weight).constant->bytes, graph.value(w).constant->bytes);
  Graph twice = again;
  infer_shapes(twice);
  EXPECT_EQ(write_onnx(twice), write_onnx(graph));
}

TEST(OnnxFile, KeepsEveryKindOfAttribute) {
  struct Case {
    const char* name;
    const char* node;  ///< of the input x, to y
    const char* attribute;
    Attribute wanted;
  };
  const float five = 5;
  const Case cases[] = {
      {"integer", "y = Flatten<axis = 2>(x)", "axis", int64_t{2}},
      {"number", "y = Elu<alpha = 0.25>(x)", "alpha", 0.25F},
      {"text", "y = Gelu<approximate = \"tanh\">(x)", "approximate", std::string("tanh")},
      {"integers", "y = Transpose<perm = [0, 2, 1, 3]>(x)", "perm",
       std::vector<int64_t>{0, 2, 1, 3}},
      {"tensor", "s = Shape(x) y = ConstantOfShape<value = float[1] {5}>(s)", "value",
       Tensor::of<float>({1}, std::span(&five, 1))},
  };
  for (const Case& row : cases) {
    const TempFolder folder;
    Graph once = read_onnx(write_model(
        folder,
        onnx_model(std::string("g (float[N, 2, 3, 4] x) => (float[M, K] y) {") + row.node + "}")));
    once.value(once.outputs().at(0)).shape_known = true;  // as a scalar: nothing here looks at it
    const Graph again = reread(once, folder);
    for (const Graph& graph : {once, again}) {
      const Attribute& got = graph.node(graph.order().back()).attributes.at(row.attribute);
      ASSERT_EQ(got.index(), row.wanted.index()) << row.name;
      if (const auto* tensor = std::get_if<Tensor>(&got)) {
        EXPECT_EQ(tensor->bytes, std::get<Tensor>(row.wanted).bytes) << row.name;
        EXPECT_EQ(tensor->shape, std::get<Tensor>(row.wanted).shape) << row.name;
        continue;
      }
      std::visit(
          [&]<class T>(const T& wanted) {
            if constexpr (!std::is_same_v<T, Tensor>) {
              EXPECT_EQ(std::get<T>(got), wanted) << row.name;
            }
          },
          row.wanted);
    }
  }
}

TEST(OnnxFile, KeepsListsOfNumbersAndTextsInTheFile) {
  // ONNX's own domain has such attributes in Constant alone, which never comes back as a node: the
  // message is looked at.
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {1, 2});
  graph.add_output(graph.add_op("Relu", "y", {x},
                                {{"floats", std::vector<float>{0.5F, -2.0F}},
                                 {"texts", std::vector<std::string>{"a", "", "long text"}}}));
  const auto bytes = write_onnx(graph);
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  const auto& attributes = model.graph().node(0).attribute();
  ASSERT_EQ(attributes.size(), 2);
  EXPECT_EQ(attributes[0].type(), onnx::AttributeProto::FLOATS);
  EXPECT_EQ(std::vector<float>(attributes[0].floats().begin(), attributes[0].floats().end()),
            (std::vector<float>{0.5F, -2.0F}));
  EXPECT_EQ(attributes[1].type(), onnx::AttributeProto::STRINGS);
  EXPECT_EQ(
      std::vector<std::string>(attributes[1].strings().begin(), attributes[1].strings().end()),
      (std::vector<std::string>{"a", "", "long text"}));
}

TEST(OnnxFile, KeepsEveryTypeOfConstant) {
  for (const DType type :
       {DType::Float32, DType::Float64, DType::Float16, DType::BFloat16, DType::Int8, DType::UInt8,
        DType::Int16, DType::UInt16, DType::Int32, DType::Int64, DType::Bool}) {
    Tensor tensor(type, {2, 3});
    for (size_t i = 0; i < tensor.bytes.size(); ++i) {
      tensor.bytes[i] = static_cast<std::byte>(type == DType::Bool ? i & 1 : i * 5 + 1);
    }
    Graph graph;
    const ValueId x = graph.add_input("x", type, {2, 3});
    const ValueId c = graph.add_constant("c", tensor);
    const ValueId y = graph.add_op("Concat", "y", {x, c}, {{"axis", int64_t{0}}});
    graph.value(y) = {"y", type, {4, 3}, true, std::nullopt};
    graph.add_output(y);
    const TempFolder folder;
    const Graph again = reread(graph, folder);
    const auto found = again.find("c");
    ASSERT_TRUE(found) << name_of(type);
    EXPECT_EQ(again.value(*found).dtype, type) << name_of(type);
    EXPECT_EQ(again.value(*found).constant->bytes, tensor.bytes) << name_of(type);
    EXPECT_EQ(again.value(again.inputs()[0]).dtype, type) << name_of(type);
  }
}

TEST(OnnxFile, KeepsAbsentInputsAndScalars) {
  const TempFolder folder;
  Graph graph =
      read_onnx(write_model(folder, onnx_model("g (float[N, 3] x) => (float[N, 3] y)"
                                               "<float high = {2.5}> { y = Clip(x, , high) }")));
  infer_shapes(graph);
  const Graph again = reread(graph, folder);
  const Node& node = again.node(again.order().at(0));
  ASSERT_EQ(node.inputs.size(), 3u);
  EXPECT_EQ(node.inputs[1], kAbsent);
  const Tensor* high = again.constant_input(node, 2);
  ASSERT_NE(high, nullptr);
  EXPECT_EQ(high->shape, Shape{});
  EXPECT_EQ(high->as<float>()[0], 2.5F);
}

// --- models as others write them -----------------------------------------------------------------

/// One constant "c" of a network that reads it, whatever it is.
const Tensor& constant_c(const Graph& graph) {
  const auto id = graph.find("c");
  if (!id || !graph.value(*id).constant) throw std::runtime_error("there is no constant 'c'");
  return *graph.value(*id).constant;
}

template <class T>
Tensor tensor_of(Shape shape, std::vector<T> values) {
  return Tensor::of<T>(std::move(shape), values);
}

TEST(OnnxReader, ReadsConstantNodesOfEachKind) {
  struct Case {
    const char* name;
    const char* node;
    Tensor wanted;
  };
  const Case cases[] = {
      {"tensor", "Constant<value = float[2, 1] {1.5, -2}>()", tensor_of<float>({2, 1}, {1.5F, -2})},
      {"integers' tensor", "Constant<value = int64[2] {1, -2}>()",
       tensor_of<int64_t>({2}, {1, -2})},
      {"number", "Constant<value_float = 0.25>()", Tensor::scalar(0.25F)},
      {"numbers", "Constant<value_floats = [0.25, 4.0]>()", tensor_of<float>({2}, {0.25F, 4})},
      {"integer", "Constant<value_int = 7>()", tensor_of<int64_t>({}, {7})},
      {"integers", "Constant<value_ints = [7, 8]>()", tensor_of<int64_t>({2}, {7, 8})},
  };
  for (const Case& row : cases) {
    const TempFolder folder;
    const Graph graph = read_onnx(
        write_model(folder, onnx_model(std::string("g (float[N, 2] x) => (float[K] y) { c = ") +
                                       row.node + " d = Cast<to = 1>(c) y = Add(x, d) }")));
    EXPECT_EQ(constant_c(graph).dtype, row.wanted.dtype) << row.name;
    EXPECT_EQ(constant_c(graph).shape, row.wanted.shape) << row.name;
    EXPECT_EQ(constant_c(graph).bytes, row.wanted.bytes) << row.name;
    EXPECT_EQ(graph.order().size(), 2u) << row.name;
  }
}

TEST(OnnxReader, ReadsTypedFields) {
  struct Case {
    const char* name;
    int type;
    std::function<void(onnx::TensorProto&)> fill;
    Tensor wanted;
  };
  using P = onnx::TensorProto;
  const auto as_int32 = [](P& t) { t.add_int32_data(1), t.add_int32_data(100); };
  const auto raw16 = [](DType type) {
    Tensor tensor(type, {2});
    const uint16_t values[] = {1, 100};
    std::memcpy(tensor.bytes.data(), values, sizeof(values));
    return tensor;
  };
  Tensor bools(DType::Bool, {2});
  bools.bytes = {std::byte{1}, std::byte{100}};
  const Case cases[] = {
      {"float", P::FLOAT, [](P& t) { t.add_float_data(1), t.add_float_data(-2.5F); },
       tensor_of<float>({2}, {1, -2.5F})},
      {"double", P::DOUBLE, [](P& t) { t.add_double_data(1), t.add_double_data(-2.5); },
       tensor_of<double>({2}, {1, -2.5})},
      {"int64", P::INT64, [](P& t) { t.add_int64_data(1), t.add_int64_data(int64_t{1} << 40); },
       tensor_of<int64_t>({2}, {1, int64_t{1} << 40})},
      {"int32", P::INT32, as_int32, tensor_of<int32_t>({2}, {1, 100})},
      {"int16", P::INT16, as_int32, tensor_of<int16_t>({2}, {1, 100})},
      {"uint16", P::UINT16, as_int32, tensor_of<uint16_t>({2}, {1, 100})},
      {"int8", P::INT8, as_int32, tensor_of<int8_t>({2}, {1, 100})},
      {"uint8", P::UINT8, as_int32, tensor_of<uint8_t>({2}, {1, 100})},
      {"float16", P::FLOAT16, as_int32, raw16(DType::Float16)},
      {"bfloat16", P::BFLOAT16, as_int32, raw16(DType::BFloat16)},
      {"bool", P::BOOL, as_int32, bools},
  };
  for (const Case& row : cases) {
    auto model =
        onnx_model("g (float[N, 2] x) => (float[K] y) { d = Cast<to = 1>(c) y = Add(x, d) }");
    auto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name("c");
    tensor.set_data_type(row.type);
    tensor.add_dims(2);
    row.fill(tensor);
    const TempFolder folder;
    const Graph graph = read_onnx(write_model(folder, model));
    EXPECT_EQ(constant_c(graph).dtype, row.wanted.dtype) << row.name;
    EXPECT_EQ(constant_c(graph).bytes, row.wanted.bytes) << row.name;
  }
}

TEST(OnnxReader, ReadsExternalData) {
  auto model = onnx_model("g (float[N, 3] x) => (float[N, 3] y) { y = Add(x, c) }");
  auto& tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name("c");
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(3);
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto say = [&](const char* key, const char* held) {
    auto& entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(held);
  };
  say("location", "sub/weights.bin");
  say("offset", "4");
  say("length", "12");
  const float numbers[] = {99, 1, 2, 3, 99};
  const TempFolder folder;
  folder.write("sub/weights.bin", {reinterpret_cast<const char*>(numbers), sizeof(numbers)});
  const Graph graph = read_onnx(write_model(folder, model));
  EXPECT_EQ(constant_c(graph).bytes, tensor_of<float>({3}, {1, 2, 3}).bytes);
}

TEST(OnnxReader, PutsModelFunctionsInPlace) {
  const TempFolder folder;
  const Graph graph = read_onnx(
      write_model(folder, onnx_model(R"(<ir_version: 8, opset_import: ["" : 17, "local" : 1]>
    g (float[N, 3] x) => (float[N, 3] y) { t = local.twice(x) y = local.twice(t) }
    <domain: "local", opset_import: ["" : 17]>
    twice (a) => (b) { half = Relu(a) b = Add(half, a) }
  )")));
  std::string ops;
  for (const NodeId id : graph.order()) ops += graph.node(id).op + " ";
  EXPECT_EQ(ops, "Relu Add Relu Add ");
}

/// Logits of three images in ONNX Runtime.
std::vector<float> logits(const std::filesystem::path& path) {
  const Tensor images = random_tensor({3, 2, 4, 4}, 11);
  return open_onnxruntime(path, 1)->run(images.as<float>(), 3);
}

TEST(OnnxReader, OldOpsetsComputeTheSame) {
  struct Case {
    const char* name;
    int opset;
    const char* body;  ///< of x, float[N, 2, 4, 4], to y; s, b, m, v are two numbers each
    int classes;
  };
  const Case cases[] = {
      {"Clip-6", 10, "t = Clip<min = -0.25, max = 0.5>(x) y = Flatten(t)", 32},
      {"Clip-11", 11, "lo = Constant<value = float {-0.25}>() t = Clip(x, lo) y = Flatten(t)", 32},
      {"Squeeze-1, Unsqueeze-1", 9,
       "p = GlobalAveragePool(x) q = Squeeze<axes = [2, 3]>(p) u = Unsqueeze<axes = [1]>(q) "
       "y = Flatten(u)",
       2},
      {"Squeeze-11, Unsqueeze-11", 11,
       "p = GlobalMaxPool(x) q = Squeeze<axes = [-1, -2]>(p) u = Unsqueeze<axes = [-1]>(q) "
       "y = Flatten(u)",
       2},
      {"Dropout-7", 9, "d = Dropout<ratio = 0.5>(x) y = Flatten(d)", 32},
      {"Dropout-10", 11, "d, k = Dropout<ratio = 0.5>(x) y = Flatten(d)", 32},
      {"BatchNormalization-9", 9,
       "n = BatchNormalization<epsilon = 0.01>(x, s, b, m, v) y = Flatten(n)", 32},
      {"Pad-2", 10,
       "t = Pad<mode = \"constant\", pads = [0, 0, 1, 0, 0, 0, 1, 2], value = 0.5>(x) "
       "y = Flatten(t)",
       72},
      {"Pad-11", 11,
       "k = Constant<value = int64[8] {0, 0, 1, 0, 0, 0, 1, 2}>() t = Pad<mode = \"reflect\">(x, "
       "k) "
       "y = Flatten(t)",
       72},
      {"Softmax-11 joins the axes", 11, "t = Softmax<axis = 1>(x) y = Flatten(t)", 32},
      {"ReduceMean-11", 11, "y = ReduceMean<axes = [2, 3], keepdims = 0>(x)", 2},
      {"ReduceSum-11", 11, "y = ReduceSum<axes = [-1, -2], keepdims = 0>(x)", 2},
      {"Split-11", 11, "p, q = Split<axis = 1, split = [1, 1]>(x) t = Sub(q, p) y = Flatten(t)",
       16},
      {"AveragePool-7, MaxPool-8", 9,
       "p = AveragePool<kernel_shape = [2, 2], pads = [1, 1, 0, 0]>(x) "
       "q = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(p) y = Flatten(q)",
       8},
      {"HardSwish-14", 14, "t = HardSwish(x) y = Flatten(t)", 32},
  };
  for (const Case& row : cases) {
    const std::string text = std::format(
        "g (float[N, 2, 4, 4] x) => (float[N, {}] y) <float[2] s = {{0.5, 2}}, "
        "float[2] b = {{0.1, -1}}, float[2] m = {{0.3, 0.2}}, float[2] v = {{4, 0.5}}> "
        "{{ {} }}",
        row.classes, row.body);
    const TempFolder folder;
    try {
      const auto old = write_model(folder, onnx_model(text, row.opset));
      Graph graph = read_onnx(old);
      Value& out = graph.value(graph.outputs().at(0));
      out.shape = {-1, row.classes};
      out.shape_known = true;
      write_file(folder / "new.onnx", write_onnx(graph));
      const std::vector<float> wanted = logits(old);
      const std::vector<float> got = logits(folder / "new.onnx");
      ASSERT_EQ(got.size(), wanted.size()) << row.name;
      EXPECT_EQ(got.size(), static_cast<size_t>(3 * row.classes)) << row.name;
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_NEAR(got[i], wanted[i], 1e-6) << row.name << ", logit " << i;
      }
    } catch (const std::exception& error) {
      ADD_FAILURE() << row.name << ": " << error.what();
    }
  }
}

}  // namespace
}  // namespace octet
