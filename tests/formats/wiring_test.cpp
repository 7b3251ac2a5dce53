#include "formats/onnx/wiring.h"

#include <gtest/gtest.h>

#include "formats/refused_model.h"

namespace octet {
namespace {

using test::expect_refused;
using test::kSmall;
using test::onnx_model;
using test::RefusedModel;
using test::write_model;

TEST(Wiring, RefusesGraphsThatAreWiredWrong) {
  const auto twice = [](onnx::ModelProto& model) {
    auto& graph = *model.mutable_graph();
    const onnx::TensorProto again = graph.initializer(1);
    *graph.add_initializer() = again;
  };
  const RefusedModel cases[] = {
      {"cycle",
       "g (float[N, 2] x) => (float[N, 2] y) { [sum] a = Add(x, b) b = Relu(a) y = Relu(b) }",
       {},
       Code::Model,
       "m.onnx: the graph has a cycle of length 2: node \"b\" (Relu) needs its own output, by its "
       "input 'a'; wanted none: export the network without the loop"},
      {"cycle of one node",
       "g (float[N, 2] x) => (float[N, 2] y) { [self] a = Add(x, a) y = Relu(a) }",
       {},
       Code::Model,
       "m.onnx: the graph has a cycle of length 1: node \"self\" (Add) needs its own output, by "
       "its "
       "input 'a'; wanted none: export the network without the loop"},
      {"behind a cycle",
       "g (float[N, 2] x) => (float[N, 2] y) { y = Relu(c) [p] a = Neg(c) [q] b = Abs(a) [r] c = "
       "Add(b, x) }",
       {},
       Code::Model,
       "m.onnx: the graph has a cycle of length 3: node \"p\" (Neg) needs its own output, by its "
       "input 'c'; wanted none: export the network without the loop"},
      {"missing initializer", kSmall,
       [](auto& model) { model.mutable_graph()->mutable_initializer()->RemoveLast(); }, Code::Model,
       "m.onnx: node \"sum\" (Add): its input 'b' is made by no node, and is neither an input nor "
       "an initializer of the graph; export the network with its weights"},
      {"undeclared input", kSmall, [](auto& model) { model.mutable_graph()->clear_input(); },
       Code::Model,
       "m.onnx: node \"product\" (MatMul): its input 'x' is made by no node, and is neither an "
       "input nor an initializer of the graph; export the network with its weights"},
      {"misspelt",
       "g (float[N, 2] image) => (float[N, 2] y) { y = Relu(imag) }",
       {},
       Code::Model,
       "m.onnx: node \"y\" (Relu): its input 'imag' is made by no node, and is neither an input "
       "nor "
       "an initializer of the graph (there is a 'image'); export the network with its weights"},
      {"missing output",
       "g (float[N, 2] x) => (float[N, 2] z) { y = Relu(x) }",
       {},
       Code::Model,
       "m.onnx: the graph output 'z' is made by no node; export the network again"},
      {"a value made twice",
       "g (float[N] x) => (float[N] y) { y = Relu(x) [second] y = Neg(x) }",
       {},
       Code::Model,
       "m.onnx: the value 'y' is made twice: by node \"y\" (Relu) and by node \"second\" (Neg); "
       "wanted one maker"},
      {"a value made twice by one node",
       "g (float[N, 4] x) => (float[N, 2] y) { [cut] y, y = Split<axis = 1, num_outputs = 2>(x) }",
       {},
       Code::Model,
       "m.onnx: the value 'y' is made twice: by node \"cut\" (Split) and by node \"cut\" (Split); "
       "wanted one maker"},
      {"an input made again",
       "g (float[N] x) => (float[N] x) { [again] x = Relu(x) }",
       {},
       Code::Model,
       "m.onnx: the value 'x' is made twice: as an input or initializer and by node \"again\" "
       "(Relu); wanted one maker"},
      {"an initializer made again",
       "g (float[1] x) => (float[1] w) <float[1] w = {1}> { [again] w = Relu(x) }",
       {},
       Code::Model,
       "m.onnx: the value 'w' is made twice: as an input or initializer and by node \"again\" "
       "(Relu); wanted one maker"},
      {"two initializers of one name", kSmall, twice, Code::Model,
       "m.onnx: two initializers have the name 'b'; wanted one"},
  };
  for (const RefusedModel& row : cases) expect_refused(row);
}

TEST(Wiring, SortsNodesThatStandInAnotherOrder) {
  const TempFolder folder;
  const Graph graph = read_onnx(write_model(
      folder, onnx_model("g (float[N] x) => (float[N] y) { [c] y = Add(b, a) [b] b = Neg(a) "
                         "[d] unused = Abs(x) [a] a = Relu(x) }")));
  std::string names;
  for (const NodeId id : graph.order()) names += graph.node(id).name;
  EXPECT_EQ(names, "dabc");
}

}  // namespace
}  // namespace octet
