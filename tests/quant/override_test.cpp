#include "quant/override.h"

#include <gtest/gtest.h>

#include "passes/passes.h"
#include "quant/place.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

const std::vector<std::string> kOnnxAlone{"onnxruntime-cpu"};
const std::vector<std::string> kBothFiles{"onnxruntime-cpu", "tflite"};

TEST(Override, IsReadAndWritten) {
  for (const std::string text :
       {"/head/*=float", "a=int8", "*=int16,per-tensor,symmetric", "x=y=per-channel,asymmetric"}) {
    EXPECT_EQ(override_text(parse_override(text)), text);
  }
  const Override read = parse_override("n=symmetric,float");
  EXPECT_EQ(read.nodes, "n");
  EXPECT_EQ(read.compute, Override::Compute::Float);
  EXPECT_FALSE(read.weights);
  EXPECT_EQ(read.activations, Scheme::Activations::Symmetric);
  EXPECT_EQ(override_text(read), "n=float,symmetric");
}

TEST(Override, RefusesOtherWords) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "the override is ''; wanted PATTERN=WORDS, such as '/head/*=float'"},
      {"conv", "the override is 'conv'; wanted PATTERN=WORDS, such as '/head/*=float'"},
      {"=float", "the override is '=float'; wanted PATTERN=WORDS, such as '/head/*=float'"},
      {"conv=", "the override is 'conv='; wanted PATTERN=WORDS, such as '/head/*=float'"},
      {"conv=fp16",
       "the override 'conv=fp16' says 'fp16'; wanted float, int8, int16, per-channel, per-tensor, "
       "asymmetric, symmetric"},
      {"conv=float,int8",
       "the override 'conv=float,int8' says 'int8' beside another word of its kind; wanted one"},
  };
  for (const auto& [text, message] : rows) {
    EXPECT_EQ(message_of([&] { parse_override(text); }), message);
  }
}

TEST(Override, MatchesNames) {
  struct Row {
    const char* pattern;
    const char* name;
    bool matches;
  };
  const Row rows[] = {
      {"a", "a", true},          {"a", "ab", false},         {"a*", "a", true},
      {"a*", "abc", true},       {"*c", "abc", true},        {"*c", "abcd", false},
      {"a*c", "ac", true},       {"a*c", "abcabc", true},    {"a?c", "abc", true},
      {"a?c", "ac", false},      {"/l3/*", "/l3/0/c", true}, {"/l3/*", "/l30/c", false},
      {"*/c/*", "/l/c/x", true}, {"**", "", true},           {"", "", true},
      {"?", "", false},          {"*a*b*", "xaybz", true},   {"*a*b*", "xbya", false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(matches(row.pattern, row.name), row.matches) << row.pattern << " " << row.name;
  }
}

TEST(Override, IsRefusedWhereATargetCannotRunIt) {
  struct Row {
    std::vector<std::string> targets;
    Scheme scheme;
    const char* text;
    const char* message;
  };
  const Scheme wide{.activations = Scheme::Activations::Symmetric, .activation_bits = 16};
  const Row rows[] = {
      {kOnnxAlone, {}, "c=float", ""},
      {kBothFiles, {}, "c=float", ""},
      {{"tflite", "ethos-u"},
       {},
       "c=float",
       "the override 'c=float': a TFLite INT8 file (target ethos-u) has no float between its "
       "integers; make files for onnxruntime-cpu or tflite, or leave it out"},
      {kOnnxAlone,
       {},
       "c=int16",
       "the override 'c=int16': ONNX Runtime (target onnxruntime-cpu) has no integer kernels of "
       "16-bit activations; make files for tflite alone, or leave it out"},
      {{"tflite", "cmsis-nn"},
       {},
       "c=int16",
       "the override 'c=int16': the device (target cmsis-nn) has no integer kernels of 16-bit "
       "activations; make files for tflite alone, or leave it out"},
      {{"tflite", "litert"}, {}, "c=int16", ""},
      {{"tflite"},
       {.scales = Scheme::Scales::PowerOfTwo},
       "c=int16",
       "the override 'c=int16': scales that are powers of two are for 8-bit activations; leave it "
       "out"},
      {{"tflite"},
       {},
       "c=int16,asymmetric",
       "the override 'c=int16,asymmetric': 16-bit activations (target tflite) lie around 0; leave "
       "it out"},
      {{"tflite-int16x8"}, wide, "c=int16", ""},
      {{"tflite-int16x8"},
       wide,
       "c=int8",
       "the override 'c=int8': a TFLite INT16X8 file (target tflite-int16x8) holds 16-bit "
       "activations throughout; leave it out"},
      {{"tflite-int16x8"},
       wide,
       "c=asymmetric",
       "the override 'c=asymmetric': 16-bit activations (target tflite-int16x8) lie around 0; "
       "leave it out"},
      {{"nxp-neutron"},
       {},
       "c=per-channel",
       "the override 'c=per-channel': the target nxp-neutron has weights per tensor only; leave it "
       "out"},
      {{"ethos-u"}, {}, "c=per-channel", ""},
      {kOnnxAlone,
       {.ranges = Scheme::Ranges::Dynamic},
       "c=float",
       "only static ranges have a choice by node; leave out 'c=float'"},
  };
  for (const Row& row : rows) {
    const std::vector<Override> given{parse_override(row.text)};
    const auto check = [&] { check_overrides(TargetSet(row.targets), row.scheme, given); };
    if (*row.message == '\0') {
      EXPECT_NO_THROW(check()) << row.text;
    } else {
      EXPECT_EQ(message_of(check), row.message);
    }
  }
}

/// conv1 - relu1 - conv2 - relu2 - conv3 - add (of conv3 and relu2).
struct Net {
  Graph graph;
  Net() {
    ValueId x = graph.add_input("x", DType::Float32, {-1, 4, 6, 6});
    x = relu(conv(x, "1"), "1");
    const ValueId skipped = relu(conv(x, "2"), "2");
    graph.add_output(graph.add_op("Add", "add", {conv(skipped, "3"), skipped}));
    infer_shapes(graph);
  }
  ValueId conv(ValueId in, const std::string& number) {
    const ValueId weight = graph.add_constant("w" + number, test::random_tensor({4, 4, 1, 1}, 7));
    return graph.add_op("Conv", "conv" + number, {in, weight});
  }
  ValueId relu(ValueId in, const std::string& number) {
    return graph.add_op("Relu", "relu" + number, {in});
  }
  Placement placed(const std::vector<std::string>& texts, Scheme scheme = {},
                   Io io = Io::Float) const {
    std::vector<Override> overrides;
    for (const std::string& text : texts) overrides.push_back(parse_override(text));
    return place(graph, TargetSet(kOnnxAlone), scheme, {}, overrides, io);
  }
  /// "+" behind values that are symmetric, "'" behind weights per tensor.
  std::string text(const Placement& placement) const {
    std::string text;
    for (const Group& group : placement.groups) {
      for (const ValueId id : group.members) {
        text += (text.empty() ? "" : " ") + graph.value(id).name;
        const auto* weight = std::get_if<WeightGrid>(&group.rule);
        if (weight ? weight->axis < 0
                   : group.scheme.activations == Scheme::Activations::Symmetric) {
          text += weight ? "'" : "+";
        }
      }
    }
    for (const auto& [id, reason] : placement.in_float) {
      text += std::format("; {} is float because {}", graph.node(id).name, reason);
    }
    return text;
  }
};

TEST(Override, DecidesByNode) {
  struct Row {
    const char* name;
    std::vector<std::string> overrides;
    std::string placed;  ///< what has a grid
    Scheme scheme = {};
    Io io = Io::Float;
  };
  constexpr Scheme kAround0{.activations = Scheme::Activations::Symmetric};
  const Row rows[] = {
      {"none", {}, "x relu1 relu2 conv3 add w1 w2 w3"},
      {"a convolution in float takes its activation along",
       {"conv2=float"},
       "x relu1 relu2 conv3 add w1 w3; conv2 is float because it is asked to; relu2 is float "
       "because it is asked to"},
      {"an activation alone stays with its operator",
       {"relu2=float"},
       "x relu1 relu2 conv3 add w1 w2 w3"},
      {"an addition between integers gains nothing",
       {"add=float"},
       "x relu1 relu2 conv3 add w1 w2 w3",
       {},
       Io::Int8},
      {"at an end in float it does",
       {"add=float"},
       "x relu1 relu2 conv3 w1 w2 w3; add is float because it is asked to"},
      {"what float nodes make and read is not rounded",
       {"*2=float", "conv3=float"},
       "x relu1 relu2 conv3 add w1; conv2 is float because it is asked to; relu2 is float because "
       "it is asked to; conv3 is float because it is asked to"},
      {"an island",
       {"*2=float", "conv3=float", "add=float"},
       "x relu1 w1; conv2 is float because it is asked to; relu2 is float because it is asked to; "
       "conv3 is float because it is asked to; add is float because it is asked to"},
      {"ends that only float nodes read",
       {"conv1=float"},
       "relu1 relu2 conv3 add w2 w3; conv1 is float because it is asked to; relu1 is float because "
       "it is asked to"},
      {"are rounded where they are integers",
       {"conv1=float"},
       "x relu1 relu2 conv3 add w2 w3; conv1 is float because it is asked to; relu1 is float "
       "because it is asked to",
       {},
       Io::Int8},
      {"the last one holds", {"*=float", "*=int8"}, "x relu1 relu2 conv3 add w1 w2 w3"},
      {"weights", {"conv*=per-tensor", "conv2=per-channel"}, "x relu1 relu2 conv3 add w1' w2 w3'"},
      {"a symmetric value keeps its activation as an operator",
       {"conv2=symmetric"},
       "x relu1 conv2+ relu2+ conv3 add w1 w2 w3"},
      {"by the name of an activation",
       {"relu2=symmetric"},
       "x relu1 conv2+ relu2+ conv3 add w1 w2 w3"},
      {"an asymmetric value among symmetric ones",
       {"conv2=asymmetric"},
       "x+ conv1+ relu1+ relu2 conv3+ add+ w1 w2 w3",
       kAround0},
  };
  const Net net;
  for (const Row& row : rows) {
    EXPECT_EQ(net.text(net.placed(row.overrides, row.scheme, row.io)), row.placed) << row.name;
  }
}

TEST(Override, IsRefusedWhereItIsOfNoNode) {
  const Net net;
  const std::pair<const char*, const char*> rows[] = {
      {"cnov2*=float",
       "the override 'cnov2*=float' is of no node of the fused network; near it are 'conv2'"},
      {"/head/*=float",
       "the override '/head/*=float' is of no node of the fused network; near it are 'conv1', "
       "'relu1', 'conv2'"},
      {"relu*=per-tensor", "the override 'relu*=per-tensor' is of no node that has weights"},
  };
  for (const auto& [text, message] : rows) {
    EXPECT_EQ(message_of([&] { net.placed({text}); }), message);
  }
}

}  // namespace
}  // namespace octet
