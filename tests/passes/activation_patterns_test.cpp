// Activations from the parts that exporters write.

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "net.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

/// 1 + erf(x / sqrt 2), with a division or a product.
ValueId erf_part(Net& n, ValueId x, bool divides, float one = 1) {
  const float root = std::numbers::sqrt2_v<float>;
  const ValueId scaled =
      divides ? n.op("Div", {x, n.number(root)}) : n.op("Mul", {n.number(1 / root), x});
  const ValueId erf = n.op("Erf", {scaled});
  return divides ? n.op("Add", {erf, n.number(one)}) : n.op("Add", {n.number(one), erf});
}

/// 1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)).
ValueId tanh_part(Net& n, ValueId x) {
  const ValueId cube = n.op("Pow", {x, n.number(3)});
  const ValueId inner = n.op("Add", {x, n.op("Mul", {cube, n.number(0.044715F)})});
  const ValueId scaled = n.op("Mul", {inner, n.number(0.7978845608F)});
  return n.op("Add", {n.op("Tanh", {scaled}), n.number(1)});
}

/// 1 + tanh(x sqrt(2 / pi) (1 + 0.044715 x x)).
ValueId fast_tanh_part(Net& n, ValueId x) {
  const ValueId scaled = n.op("Mul", {x, n.number(0.7978845608F)});
  const ValueId square = n.op("Mul", {n.op("Mul", {n.number(0.044715F), x}), x});
  const ValueId inner = n.op("Mul", {scaled, n.op("Add", {n.number(1), square})});
  return n.op("Add", {n.number(1), n.op("Tanh", {inner})});
}

TEST(ActivationPatterns, Gelu) {
  check(fuse_activations,
        {
            {"x * (1 + erf) * 0.5: PyTorch",
             [] {
               Row n;
               const ValueId product = n.op("Mul", {n.x, erf_part(n, n.x, true)});
               return n.to({n.op("Mul", {product, n.number(0.5F)})});
             },
             1, "Gelu"},
            {"0.5 * x, then the rest",
             [] {
               Row n;
               const ValueId half = n.op("Mul", {n.number(0.5F), n.x});
               return n.to({n.op("Mul", {half, erf_part(n, n.x, false)})});
             },
             1, "Gelu"},
            {"x * (0.5 * (1 + erf)), with a reader",
             [] {
               Row n;
               const ValueId half = n.op("Mul", {n.number(0.5F), erf_part(n, n.x, false)});
               return n.to({n.op("Relu", {n.op("Mul", {half, n.x})})});
             },
             1, "Gelu Relu"},
            {"halves",
             [] {
               Row n;
               const ValueId product = n.op("Mul", {erf_part(n, n.x, true), n.x});
               return n.to({n.op("Div", {product, n.number(2)})});
             },
             1, "Gelu"},
            {"tanh",
             [] {
               Row n;
               const ValueId half = n.op("Mul", {n.x, n.number(0.5F)});
               return n.to({n.op("Mul", {half, tanh_part(n, n.x)})});
             },
             1, "Gelu"},
            {"tanh with x taken out",
             [] {
               Row n;
               const ValueId product = n.op("Mul", {n.x, fast_tanh_part(n, n.x)});
               return n.to({n.op("Mul", {n.number(0.5F), product})});
             },
             1, "Gelu"},
            {"left: another number",
             [] {
               Row n;
               const ValueId product = n.op("Mul", {n.x, erf_part(n, n.x, true, 1.01F)});
               return n.to({n.op("Mul", {product, n.number(0.5F)})});
             },
             0, "Div Erf Add Mul Mul"},
            {"left: another operand",
             [] {
               Row n;
               const ValueId product = n.op("Mul", {n.x, erf_part(n, n.op("Neg", {n.x}), true)});
               return n.to({n.op("Mul", {product, n.number(0.5F)})});
             },
             0, "Neg Div Erf Add Mul Mul"},
            {"left: another reader",
             [] {
               Row n;
               const ValueId gate = erf_part(n, n.x, true);
               const ValueId product = n.op("Mul", {n.x, gate});
               return n.to({n.op("Mul", {product, n.number(0.5F)}), gate});
             },
             0, "Div Erf Add Mul Mul"},
        });
}

TEST(ActivationPatterns, GeluSaysWhichOne) {
  for (const bool tanh : {false, true}) {
    Row n;
    const ValueId gate = tanh ? tanh_part(n, n.x) : erf_part(n, n.x, true);
    Graph graph = n.to({n.op("Mul", {n.op("Mul", {n.x, gate}), n.number(0.5F)})});
    infer_shapes(graph);
    EXPECT_EQ(fuse_activations(graph), 1u);
    EXPECT_EQ(graph.node(graph.order()[0]).text("approximate", ""), tanh ? "tanh" : "none");
  }
}

TEST(ActivationPatterns, Mish) {
  check(fuse_activations,
        {
            {"x * tanh(softplus)",
             [] {
               Row n;
               return n.to({n.op("Mul", {n.x, n.op("Tanh", {n.op("Softplus", {n.x})})})});
             },
             1, "Mish"},
            {"left: SiLU is what ONNX has no operator for",
             [] {
               Row n;
               return n.to({n.op("Mul", {n.x, n.op("Sigmoid", {n.x})})});
             },
             0, "Sigmoid Mul"},
            {"left: of something else",
             [] {
               Row n;
               const ValueId relu = n.op("Relu", {n.x});
               return n.to({n.op("Mul", {n.x, n.op("Tanh", {n.op("Softplus", {relu})})})});
             },
             0, "Relu Softplus Tanh Mul"},
        });
}

TEST(ActivationPatterns, ReluAndClip) {
  check(fuse_activations,
        {
            {"max with 0",
             [] {
               Row n;
               return n.to({n.op("Max", {n.x, n.number(0)})});
             },
             1, "Relu"},
            {"clip from 0",
             [] {
               Row n;
               return n.to({n.op("Clip", {n.x, n.number(0)})});
             },
             1, "Relu"},
            {"clip from 0 to infinity",
             [] {
               Row n;
               return n.to({n.op("Clip", {n.x, n.number(0), n.number(INFINITY)})});
             },
             1, "Relu"},
            {"min of relu: Keras' ReLU6",
             [] {
               Row n;
               return n.to({n.op("Min", {n.op("Relu", {n.x}), n.number(6)})});
             },
             1, "Clip"},
            {"min of max",
             [] {
               Row n;
               return n.to({n.op("Min", {n.op("Max", {n.number(-1), n.x}), n.number(1)})});
             },
             1, "Clip"},
            {"max of min",
             [] {
               Row n;
               return n.to({n.op("Max", {n.op("Min", {n.x, n.number(1)}), n.number(-1)})});
             },
             1, "Clip"},
            {"bounds of rank 1",
             [] {
               Row n;
               return n.to(
                   {n.op("Min", {n.op("Max", {n.x, n.c({1}, -1, -0.5F)}), n.c({1}, 0.5F, 1)})});
             },
             1, "Clip"},
            {"clip to everything",
             [] {
               Row n;
               return n.to({n.op("Relu", {n.op("Clip", {n.x, n.number(-INFINITY)})})});
             },
             1, "Relu"},
            {"left: from 0.1",
             [] {
               Row n;
               return n.to({n.op("Clip", {n.x, n.number(0.1F)})});
             },
             0, "Clip"},
            {"left: bounds per channel",
             [] {
               Row n;
               return n.to({n.op("Min", {n.op("Max", {n.x, n.c({3}, -1, 0)}), n.number(1)})});
             },
             0, "Max Min"},
            {"left: bounds that cross",
             [] {
               Row n;
               return n.to({n.op("Min", {n.op("Max", {n.x, n.number(1)}), n.number(-1)})});
             },
             0, "Max Min"},
            {"left: another reader",
             [] {
               Row n;
               const ValueId max = n.op("Max", {n.x, n.number(-1)});
               return n.to({n.op("Add", {n.op("Min", {max, n.number(1)}), max})});
             },
             0, "Max Min Add"},
        });
}

/// clip(x + 3, 0, 6).
ValueId relu6(Net& n, ValueId x, float three = 3) {
  return n.op("Clip", {n.op("Add", {x, n.number(three)}), n.number(0), n.number(6)});
}

TEST(ActivationPatterns, HardSigmoidAndHardSwish) {
  check(fuse_activations,
        {
            {"clip(x + 3) / 6",
             [] {
               Row n;
               return n.to({n.op("Div", {relu6(n, n.x), n.number(6)})});
             },
             1, "HardSigmoid"},
            {"clip(x + 3) * 1/6, by min and relu",
             [] {
               Row n;
               const ValueId moved = n.op("Add", {n.number(3), n.x});
               const ValueId clipped = n.op("Min", {n.op("Relu", {moved}), n.number(6)});
               return n.to({n.op("Mul", {n.number(1.0F / 6), clipped})});
             },
             2, "HardSigmoid"},
            {"clip(x / 6 + 1/2)",
             [] {
               Row n;
               const ValueId scaled = n.op("Mul", {n.x, n.number(1.0F / 6)});
               const ValueId moved = n.op("Add", {scaled, n.number(0.5F)});
               return n.to({n.op("Clip", {moved, n.number(0), n.number(1)})});
             },
             1, "HardSigmoid"},
            {"x * clip / 6",
             [] {
               Row n;
               return n.to({n.op("Div", {n.op("Mul", {n.x, relu6(n, n.x)}), n.number(6)})});
             },
             1, "HardSwish"},
            {"x * (clip / 6)",
             [] {
               Row n;
               return n.to({n.op("Mul", {n.x, n.op("Div", {relu6(n, n.x), n.number(6)})})});
             },
             2, "HardSwish"},
            {"x / 6 * clip",
             [] {
               Row n;
               const ValueId sixth = n.op("Mul", {n.x, n.number(1.0F / 6)});
               return n.to({n.op("Mul", {relu6(n, n.x), sixth})});
             },
             1, "HardSwish"},
            {"x * HardSigmoid",
             [] {
               Row n;
               const ValueId gate = n.op("HardSigmoid", {n.x}, {{"alpha", 1.0F / 6}});
               return n.to({n.op("Mul", {gate, n.x})});
             },
             1, "HardSwish"},
            {"left: alpha is 0.2",
             [] {
               Row n;
               return n.to({n.op("Mul", {n.op("HardSigmoid", {n.x}), n.x})});
             },
             0, "HardSigmoid Mul"},
            {"left: moved by 2",
             [] {
               Row n;
               return n.to({n.op("Div", {relu6(n, n.x, 2), n.number(6)})});
             },
             0, "Add Clip Div"},
            {"a gate that others read stays a gate",
             [] {
               Row n;
               const ValueId gate = n.op("Div", {relu6(n, n.x), n.number(6)});
               return n.to({n.op("Add", {n.op("Mul", {n.x, gate}), gate})});
             },
             1, "HardSigmoid Mul Add"},
        });
}

}  // namespace
}  // namespace octet
