#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "formats/onnx/onnx_file.h"
#include "support/error_of.h"
#include "support/onnx_model.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using test::onnx_model;
using test::write_model;
using Change = std::function<void(onnx::ModelProto&)>;

constexpr const char* kSmall =
    "g (float[N, 2] x) => (float[N, 3] y) <float[2, 3] w = {1, 2, 3, 4, 5, 6}, "
    "float[3] b = {1, 2, 3}> { [product] t = MatMul(x, w) [sum] y = Add(t, b) }";

void external(onnx::ModelProto& model, const char* location, const char* offset = "0") {
  auto& tensor = *model.mutable_graph()->mutable_initializer(1);
  tensor.clear_float_data();
  tensor.clear_raw_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  auto& place = *tensor.add_external_data();
  place.set_key("location");
  place.set_value(location);
  auto& start = *tensor.add_external_data();
  start.set_key("offset");
  start.set_value(offset);
}

struct Case {
  const char* name;
  const char* text;
  Change change;
  Code code;
  const char* message;
};

void expect_refused(const Case& row) {
  const TempFolder folder;
  folder.write("short.bin", "12345678");
  folder.write("sub/file", "");
  auto model = onnx_model(row.text);
  if (row.change) row.change(model);
  const auto path = write_model(folder, model);
  const Error error = error_of([&] { read_onnx(path); });
  EXPECT_EQ(error.code(), row.code) << row.name;
  EXPECT_EQ(folder.without(error.what()), row.message) << row.name;
}

TEST(OnnxReader, RefusesExternalDataThatDoNotFit) {
  const Case cases[] = {
      {"missing", kSmall, [](auto& model) { external(model, "none.bin"); }, Code::Model,
       "m.onnx: the tensor 'b': its external data none.bin is missing or too "
       "short: wanted 12 bytes from 0"},
      {"short", kSmall, [](auto& model) { external(model, "short.bin"); }, Code::Model,
       "m.onnx: the tensor 'b': its external data short.bin is missing or too "
       "short: wanted 12 bytes from 0"},
      {"past the end", kSmall, [](auto& model) { external(model, "short.bin", "100"); },
       Code::Model,
       "m.onnx: the tensor 'b': its external data short.bin is missing or too "
       "short: wanted 12 bytes from 100"},
      {"offset overflows", kSmall,
       [](auto& model) { external(model, "short.bin", "9223372036854775807"); }, Code::Model,
       "m.onnx: the tensor 'b': its external data short.bin is missing or too "
       "short: wanted 12 bytes from 9223372036854775807"},
      {"offset is no number", kSmall, [](auto& model) { external(model, "short.bin", "4k"); },
       Code::Model, "m.onnx: the tensor 'b': its external data has the offset or length '4k'"},
      {"above the folder", kSmall, [](auto& model) { external(model, "../x"); }, Code::Model,
       "m.onnx: the tensor 'b': its external data '../x' lies outside the model's "
       "folder"},
      {"above by a detour", kSmall, [](auto& model) { external(model, "a/../../x"); }, Code::Model,
       "m.onnx: the tensor 'b': its external data 'a/../../x' lies outside the "
       "model's folder"},
      {"absolute", kSmall, [](auto& model) { external(model, "/etc/passwd"); }, Code::Model,
       "m.onnx: the tensor 'b': its external data '/etc/passwd' lies outside the "
       "model's folder"},
      {"no location", kSmall, [](auto& model) { external(model, ""); }, Code::Model,
       "m.onnx: the tensor 'b': its external data '' lies outside the model's "
       "folder"},
      {"a folder", kSmall, [](auto& model) { external(model, "sub"); }, Code::Model,
       "m.onnx: the tensor 'b': its external data sub is "
       "missing or too short: wanted 12 bytes from 0"},
  };
  for (const Case& row : cases) expect_refused(row);
}

TEST(OnnxReader, RefusesExternalDataBehindALink) {
  const TempFolder outside;
  const TempFolder folder;
  std::filesystem::create_symlink(outside.write("secret.bin", "123456789012"), folder / "link.bin");
  auto model = onnx_model(kSmall);
  external(model, "link.bin");
  const auto path = write_model(folder, model);
  const Error error = error_of([&] { read_onnx(path); });
  EXPECT_EQ(folder.without(error.what()),
            "m.onnx: the tensor 'b': its external data 'link.bin' lies outside the model's folder");
}

TEST(OnnxReader, RefusesNetworksThatItCannotRun) {
  const Case cases[] = {
      {"cycle",
       "g (float[N, 2] x) => (float[N, 2] y) { a = Add(x, b) b = Relu(a) y = Relu(b) }",
       {},
       Code::Model,
       "m.onnx is not a well-formed ONNX network: Nodes in a graph must be "
       "topologically sorted, however input 'b' of node: name: OpType: Add is not output of any "
       "previous nodes."},
      {"missing producer",
       "g (float[N, 2] x) => (float[N, 2] y) { y = Add(x, nobody) }",
       {},
       Code::Model,
       "m.onnx is not a well-formed ONNX network: Nodes in a graph must be "
       "topologically sorted, however input 'nobody' of node: name: OpType: Add is not output "
       "of any previous nodes."},
      {"missing output",
       "g (float[N, 2] x) => (float[N, 2] z) { y = Relu(x) }",
       {},
       Code::Model,
       "m.onnx is not a well-formed ONNX network: Graph output 'z' is not an "
       "output of any node in graph."},
      {"zero dimension",
       "g (float[N, 0] x) => (float[N, 0] y) { y = Relu(x) }",
       {},
       Code::Model,
       "m.onnx: the input 'x' has a dimension of 0"},
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
      {"text tensor", kSmall,
       [](auto& model) {
         auto& tensor = *model.mutable_graph()->add_initializer();
         tensor.set_name("words");
         tensor.set_data_type(onnx::TensorProto::STRING);
         tensor.add_dims(1);
         tensor.add_string_data("word");
       },
       Code::Unsupported, "m.onnx: tensors of ONNX type 8 (STRING) are not supported"},
      {"type that is none", kSmall,
       [](auto& model) { model.mutable_graph()->mutable_initializer(1)->set_data_type(99); },
       Code::Model,
       "m.onnx is not a well-formed ONNX network: Unrecognized data_type "
       "(tensor name: b): 99"},
      {"text input",
       "g (string[N] x) => (string[N] y) { y = Identity(x) }",
       {},
       Code::Unsupported,
       "m.onnx: tensors of ONNX type 8 (STRING) are not supported"},
      {"sequence input",
       "g (seq(float[N]) x) => (float[N] y) { y = ConcatFromSequence<axis = 0>(x) }",
       {},
       Code::Unsupported,
       "m.onnx: the input 'x' is not a tensor"},
      {"no shape", kSmall,
       [](auto& model) {
         auto& type = *model.mutable_graph()->mutable_input(0)->mutable_type();
         type.mutable_tensor_type()->clear_shape();
       },
       Code::Model,
       "m.onnx is not a well-formed ONNX network: Field 'shape' of 'type' is "
       "required but missing."},
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
      {"a value made twice",
       "g (float[N] x) => (float[N] y) { y = Relu(x) y = Neg(x) }",
       {},
       Code::Model,
       "m.onnx is not a well-formed ONNX network: Graph must be in single static "
       "assignment (SSA) form, however 'y' has been used as output names multiple times."},
  };
  for (const Case& row : cases) expect_refused(row);
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
  const Case cases[] = {
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
       "m.onnx is not a well-formed ONNX network: TensorProto (tensor name: b) is "
       "0-element but contains data!"},
      {"bytes overflow", kSmall, raw({int64_t{1} << 62}), Code::Model,
       "m.onnx: the shape 4611686018427387904 has too many elements"},
      {"negative", kSmall, shaped({-3}), Code::Model,
       "m.onnx: the tensor 'b' has a negative dimension"},
      {"no data", kSmall,
       [](auto& model) { model.mutable_graph()->mutable_initializer(1)->clear_float_data(); },
       Code::Model,
       "m.onnx is not a well-formed ONNX network: TensorProto (tensor name: b) "
       "should contain one and only one value field."},
  };
  for (const Case& row : cases) expect_refused(row);
}

// --- damaged files -------------------------------------------------------------------------------

constexpr const char* kNotOnnx = "m.onnx is not an ONNX file, or a truncated one";

TEST(OnnxReader, RefusesOtherFiles) {
  const TempFolder folder;
  const auto message = [&](std::string_view contents) {
    const auto path = folder.write("m.onnx", contents);
    const Error error = error_of([&] { read_onnx(path); });
    EXPECT_EQ(error.code(), Code::Model);
    return folder.without(error.what());
  };
  EXPECT_EQ(message(""), kNotOnnx);
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
    EXPECT_EQ(folder.without(error.what()), kNotOnnx) << length << " bytes of " << whole.size();
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
