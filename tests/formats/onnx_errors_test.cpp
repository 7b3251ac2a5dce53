#include <gtest/gtest.h>

#include <random>

#include "formats/onnx/onnx_file.h"
#include "formats/refused_model.h"

namespace octet {
namespace {

using test::Change;
using test::expect_refused;
using test::kSmall;
using test::onnx_model;
using test::RefusedModel;

TEST(OnnxReader, RefusesTypesThatItLacks) {
  constexpr const char* kWanted =
      ", which octet does not support; wanted one of FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT8, "
      "UINT8, "
      "INT16, UINT16, INT32, INT64, BOOL";
  const auto typed = [](onnx::TensorProto::DataType type) {
    return [type](onnx::ModelProto& model) {
      auto& tensor = *model.mutable_graph()->mutable_initializer(1);
      tensor.clear_float_data();
      tensor.set_data_type(type);
      tensor.set_raw_data("123");
    };
  };
  struct Row {
    const char* name;
    const char* text;
    Change change;
    std::string what;
  };
  const Row rows[] = {
      {"text", kSmall,
       [](auto& model) {
         auto& tensor = *model.mutable_graph()->add_initializer();
         tensor.set_name("words");
         tensor.set_data_type(onnx::TensorProto::STRING);
         tensor.add_dims(1);
         tensor.add_string_data("word");
       },
       "the tensor 'words' has the element type STRING"},
      {"complex", kSmall, typed(onnx::TensorProto::COMPLEX64),
       "the tensor 'b' has the element type COMPLEX64"},
      {"float8", kSmall, typed(onnx::TensorProto::FLOAT8E4M3FN),
       "the tensor 'b' has the element type FLOAT8E4M3FN"},
      {"int4", kSmall, typed(onnx::TensorProto::INT4), "the tensor 'b' has the element type INT4"},
      {"text input",
       "g (string[N] x) => (string[N] y) { y = Identity(x) }",
       {},
       "the input 'x' has the element type STRING"},
      {"a constant's",
       "g (float[N] x) => (float[N] y) { c = Constant<value = string t {\"a\"}>() y = Relu(x) }",
       {},
       "the tensor 't' has the element type STRING"},
  };
  for (const Row& row : rows) {
    const std::string message = "m.onnx: " + row.what + kWanted;
    expect_refused({row.name, row.text, row.change, Code::Unsupported, message.c_str()});
  }
  expect_refused(
      {"none", kSmall,
       [](auto& model) { model.mutable_graph()->mutable_initializer(1)->set_data_type(99); },
       Code::Model, "m.onnx: the tensor 'b' has the element type 99, which ONNX does not know"});
}

TEST(OnnxReader, RefusesNetworksThatItCannotRun) {
  const RefusedModel cases[] = {
      {"subgraph",
       "g (float[N, 2] x, bool c) => (float[N, 2] y) { [choice] y = If (c) <"
       "then_branch = a () => (float[N, 2] p) { p = Relu(x) }, "
       "else_branch = b () => (float[N, 2] q) { q = Neg(x) }> }",
       {},
       Code::Unsupported,
       "m.onnx: node \"choice\" (If): its attribute 'then_branch' is of type "
       "GRAPH (subgraphs are not supported)"},
      {"other domain",
       "<ir_version: 8, opset_import: [\"\" : 21, \"com.example\" : 1]>"
       "g (float[N, 2] x) => (float[N, 2] y) { [odd] y = com.example.Odd(x) }",
       {},
       Code::Unsupported,
       "m.onnx: node \"odd\" (com.example.Odd): operators of this domain are "
       "not supported"},
      {"domain not imported", kSmall,
       [](auto& model) { model.mutable_graph()->mutable_node(1)->set_domain("com.example"); },
       Code::Model,
       "m.onnx is not a well-formed ONNX network: No opset import for domain "
       "'com.example' ==> Context: Bad node spec for node. Name: sum OpType: Add"},
      {"unknown operator", kSmall,
       [](auto& model) { model.mutable_graph()->mutable_node(1)->set_op_type("Frobnicate"); },
       Code::Model,
       "m.onnx is not a well-formed ONNX network: No Op registered for Frobnicate "
       "with domain_version of 21 ==> Context: Bad node spec for node. Name: sum OpType: "
       "Frobnicate"},
      {"unknown attribute", kSmall,
       [](auto& model) {
         auto& attribute = *model.mutable_graph()->mutable_node(1)->add_attribute();
         attribute.set_name("wrong");
         attribute.set_type(onnx::AttributeProto::INT);
         attribute.set_i(1);
       },
       Code::Model,
       "m.onnx is not a well-formed ONNX network: Unrecognized attribute: wrong "
       "for operator Add ==> Context: Bad node spec for node. Name: sum OpType: Add"},
      {"sparse initializer", kSmall,
       [](auto& model) {
         auto& sparse = *model.mutable_graph()->add_sparse_initializer();
         const auto lists = onnx_model("g () => () <float[1] v = {1}, int64[1] i = {1}> {}");
         *sparse.mutable_values() = lists.graph().initializer(0);
         *sparse.mutable_indices() = lists.graph().initializer(1);
         sparse.add_dims(3);
       },
       Code::Unsupported, "m.onnx: the network has sparse initializers, which are not supported"},
      {"sequence input",
       "g (seq(float[N]) x) => (float[N] y) { y = ConcatFromSequence<axis = 0>(x) }",
       {},
       Code::Unsupported,
       "m.onnx: the input 'x' is not a tensor"},
      {"newer opset",
       "<ir_version: 8, opset_import: [\"\" : 999]>"
       "g (float[N] x) => (float[N] y) { y = Relu(x) }",
       {},
       Code::Unsupported,
       "m.onnx is of opset 999; wanted 1 to 25"},
      {"opset that has no such operator",
       "<ir_version: 8, opset_import: [\"\" : 7]>"
       "g (float[N] x) => (float[N] y) { y = HardSwish(x) }",
       {},
       Code::Model,
       "m.onnx is not a well-formed ONNX network: No Op registered for HardSwish "
       "with domain_version of 7 ==> Context: Bad node spec for node. Name: OpType: HardSwish"},
  };
  for (const RefusedModel& row : cases) expect_refused(row);
}

TEST(OnnxReader, RefusesTensorsThatLie) {
  const auto shaped = [](std::initializer_list<int64_t> dims) {
    return [dims = std::vector(dims)](onnx::ModelProto& model) {
      auto& tensor = *model.mutable_graph()->mutable_initializer(1);
      tensor.clear_dims();
      for (const int64_t dim : dims) tensor.add_dims(dim);
    };
  };
  const auto raw = [shaped](std::initializer_list<int64_t> dims) {
    return [fill = shaped(dims)](onnx::ModelProto& model) {
      fill(model);
      auto& tensor = *model.mutable_graph()->mutable_initializer(1);
      tensor.clear_float_data();
      tensor.set_raw_data("123456789012");
    };
  };
  const RefusedModel cases[] = {
      {"more than it holds", kSmall, shaped({4}), Code::Model,
       "m.onnx: the tensor 'b' holds 3 elements, its shape wants 4"},
      {"less than it holds", kSmall, shaped({2}), Code::Model,
       "m.onnx: the tensor 'b' holds 3 elements, its shape wants 2"},
      {"raw, more than it holds", kSmall, raw({4}), Code::Model,
       "m.onnx: the tensor 'b' holds 12 bytes, its shape wants 16"},
      {"raw, less than it holds", kSmall, raw({2}), Code::Model,
       "m.onnx: the tensor 'b' holds 12 bytes, its shape wants 8"},
      {"huge", kSmall, shaped({1 << 20, 1 << 20}), Code::Model,
       "m.onnx: the tensor 'b' holds less data than its shape wants"},
      {"raw, huge", kSmall, raw({1 << 20, 1 << 20}), Code::Model,
       "m.onnx: the tensor 'b' holds 12 bytes, its shape wants 4398046511104"},
      {"product overflows", kSmall, shaped({int64_t{1} << 40, int64_t{1} << 40}), Code::Model,
       "m.onnx: the tensor 'b' has the shape 1099511627776x1099511627776: too many elements"},
      {"bytes overflow", kSmall, raw({int64_t{1} << 62}), Code::Model,
       "m.onnx: the tensor 'b' has the shape 4611686018427387904: too many elements"},
      {"negative", kSmall, shaped({-3}), Code::Model,
       "m.onnx: the tensor 'b' has a negative dimension"},
      {"no data", kSmall,
       [](auto& model) { model.mutable_graph()->mutable_initializer(1)->clear_float_data(); },
       Code::Model,
       "m.onnx is not a well-formed ONNX network: TensorProto (tensor name: b) "
       "should contain one and only one value field."},
  };
  for (const RefusedModel& row : cases) expect_refused(row);
}

// --- damaged files -------------------------------------------------------------------------------

constexpr const char* kNotOnnx =
    "m.onnx is not an ONNX file, or a truncated one; copy or export it again";
constexpr const char* kEmpty = "m.onnx is empty; wanted an ONNX file";

TEST(OnnxReader, RefusesOtherFiles) {
  const TempFolder folder;
  const auto message = [&](std::string_view contents) {
    const auto path = folder.write("m.onnx", contents);
    const Error error = error_of([&] { read_onnx(path); });
    EXPECT_EQ(error.code(), Code::Model);
    return folder.without(error.what());
  };
  EXPECT_EQ(message(""), kEmpty);
  EXPECT_EQ(message("this is not a network"), kNotOnnx);
  EXPECT_EQ(message(std::string(1000, '\0')), kNotOnnx);
  EXPECT_EQ(message("\x08\x08"), kNotOnnx);  // an IR version and nothing else
  const Error missing = error_of([&] { read_onnx(folder / "none.onnx"); });
  EXPECT_EQ(missing.code(), Code::Model);
  EXPECT_EQ(folder.without(missing.what()), "cannot read none.onnx: No such file or directory");
  const Error is_folder = error_of([&] { read_onnx(folder.path()); });
  EXPECT_EQ(is_folder.code(), Code::Model);
  EXPECT_EQ(is_folder.what(), "cannot read " + folder.path().string() + ": it is not a file");
}

TEST(OnnxReader, RefusesEveryBeginningOfAFile) {
  const TempFolder folder;
  const std::string whole = onnx_model(kSmall).SerializeAsString();
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto path = folder.write("m.onnx", std::string_view(whole).substr(0, length));
    const Error error = error_of([&] { read_onnx(path); });
    EXPECT_EQ(error.code(), Code::Model) << length << " bytes of " << whole.size();
    EXPECT_EQ(folder.without(error.what()), length == 0 ? kEmpty : kNotOnnx)
        << length << " bytes of " << whole.size();
  }
}

/// What a network of another opset, with functions and attributes, has in addition.
constexpr const char* kRich = R"(<ir_version: 8, opset_import: ["" : 11, "local" : 1]>
  g (float[N, 2, 4, 4] x) => (float[N, 2] y) <float[2] s = {1, 2}, float[2, 2, 3, 3] w> {
    c = Conv<pads = [1, 1, 1, 1]>(x, w)
    n = BatchNormalization<epsilon = 0.01>(c, s, s, s, s)
    t = local.twice(n)
    lo = Constant<value = float {0.5}>()
    p = Clip(t, lo)
    k = Constant<value = int64[8] {0, 0, 1, 0, 0, 0, 1, 2}>()
    q = Pad<mode = "reflect">(p, k)
    y = ReduceMean<axes = [2, 3], keepdims = 0>(q)
  }
  <domain: "local", opset_import: ["" : 11]>
  twice (a) => (b) { half = Relu(a) b = Add(half, a) }
)";

TEST(OnnxReader, SurvivesDamage) {
  auto rich = onnx_model(kRich);
  auto& weight = *rich.mutable_graph()->add_initializer();
  weight.set_name("w");
  weight.set_data_type(onnx::TensorProto::FLOAT);
  for (const int dim : {2, 2, 3, 3}) weight.add_dims(dim);
  weight.set_raw_data(std::string(36 * 4, '\1'));
  const TempFolder folder;
  for (const auto& model : {onnx_model(kSmall), rich}) {
    const int rounds = model.functions_size() == 0 ? 2000 : 1000;
    const std::string whole = model.SerializeAsString();
    EXPECT_NO_THROW(read_onnx(folder.write("m.onnx", whole)));
    std::mt19937 random(7);
    int refused = 0;
    for (int round = 0; round < rounds; ++round) {
      std::string damaged = whole;
      for (int flips = 1 + round % 3; flips > 0; --flips) {
        damaged[random() % damaged.size()] ^= static_cast<char>(1U << random() % 8);
      }
      const auto path = folder.write("m.onnx", damaged);
      try {
        read_onnx(path);
      } catch (const Error& error) {
        ++refused;
        EXPECT_FALSE(std::string_view(error.what()).contains('\n')) << error.what();
      } catch (const std::exception& error) {
        ADD_FAILURE() << "round " << round << ": not octet::Error but: " << error.what();
      }
    }
    EXPECT_GT(refused, rounds / 4);
    EXPECT_LT(refused, rounds);
  }
}

}  // namespace
}  // namespace octet
