#include <set>

#include "formats/onnx/graph_writer.h"
#include "formats/onnx/onnx_file.h"

// MatMulNBits of the domain com.microsoft, version 1, as ONNX Runtime 1.23 computes it on CPUs
// (ContribOperators.md; checked against its kernel): Y = A * W^T + bias, where
//   B            uint8 [N, groups, group * bits / 8]: the codes of an output's group, two of 4 bits
//                to a byte, the first in the low half; what is left of the last group is 0
//   scales       float32 [N * groups]
//   zero_points  uint8 [N * ceil(groups * bits / 8)], packed likewise per output; absent: the
//                middle of the codes
// Its `accuracy_level` 1 keeps A in float32; 4 would quantize it to int8 as it comes.
namespace octet {
namespace {

constexpr int64_t kFloatActivations = 1;

class WeightOnlyWriter final : public GraphWriter {
 public:
  WeightOnlyWriter(const Graph& graph, const GroupTable& groups)
      : GraphWriter(graph), groups_(groups) {}

 protected:
  void write_nodes() override {
    for (const NodeId id : graph_.order()) {
      const Node& node = graph_.node(id);
      const auto grid = groups_.find(node.input(1));
      if (grid != groups_.end()) {
        write_product(node, grid->second);
      } else {
        write_in_float(node);
      }
    }
  }

 private:
  /// The name of what a node reads; a constant is written when it is first asked for.
  const std::string& reader(ValueId id) {
    if (graph_.is_constant(id) && written_.insert(id).second) {
      add_initializer(*graph_.value(id).constant, name(id));
    }
    return name(id);
  }

  void write_in_float(const Node& node) {
    std::vector<std::string> inputs;
    for (const ValueId in : node.inputs) inputs.push_back(reader(in));
    std::vector<std::string> outputs;
    for (const ValueId out : node.outputs) outputs.push_back(name(out));
    write_node(node, inputs, outputs);
  }

  /// Bytes of codes, two of 4 bits to each. Rows of `count` codes begin at whole bytes; `padded`:
  /// how many codes have room in one.
  static Tensor packed(std::span<const uint8_t> codes, int64_t count, int64_t padded, int bits,
                       Shape shape) {
    Tensor bytes(DType::UInt8, std::move(shape));
    const auto out = bytes.as<uint8_t>();
    const int64_t a_byte = 8 / bits;
    const int64_t row_bytes = (padded + a_byte - 1) / a_byte;
    for (int64_t i = 0; i < std::ssize(codes); ++i) {
      const int64_t place = i % count;
      uint8_t& byte = out[static_cast<size_t>(i / count * row_bytes + place / a_byte)];
      byte |= static_cast<uint8_t>(codes[static_cast<size_t>(i)] << (place % a_byte * bits));
    }
    return bytes;
  }

  void write_product(const Node& node, const GroupGrid& grid) {
    const std::string& weight = name(node.inputs[1]);
    const auto codes = quantize(weights_by_output(graph_, node), grid);
    const int64_t groups = grid.groups();
    add_initializer(packed(codes, grid.inputs, groups * grid.group, grid.bits,
                           {grid.outputs, groups, grid.group * grid.bits / 8}),
                    weight + "/codes");
    add_initializer(Tensor::of<float>({grid.outputs * groups}, grid.scale), weight + "/scales");
    std::vector<std::string> inputs{name(node.inputs[0]), weight + "/codes", weight + "/scales"};
    if (!grid.symmetric()) {
      const int64_t row = (groups * grid.bits + 7) / 8;
      add_initializer(packed(grid.zero_point, groups, groups, grid.bits, {grid.outputs * row}),
                      weight + "/zero_points");
      inputs.push_back(weight + "/zero_points");
    }
    const ValueId bias = node.input(2);
    const bool inside = bias != kAbsent && graph_.value(bias).shape == Shape{grid.outputs};
    if (inside) {
      inputs.resize(5);  // the fifth, an order of the inputs, is deprecated
      inputs.push_back(reader(bias));
    }
    const std::string& out = name(node.outputs[0]);
    const bool add = bias != kAbsent && !inside;
    const std::string product = add ? out + "/product" : out;
    onnx::NodeProto& proto =
        add_node_of("com.microsoft", "MatMulNBits", node.name, inputs, {product});
    write_attribute("K", grid.inputs, proto);
    write_attribute("N", grid.outputs, proto);
    write_attribute("bits", int64_t{grid.bits}, proto);
    write_attribute("block_size", grid.group, proto);
    write_attribute("accuracy_level", kFloatActivations, proto);
    if (add) add_node("Add", node.name + "/bias", {product, reader(bias)}, {out});
  }

  const GroupTable& groups_;
  std::set<ValueId> written_;  ///< constants
};

}  // namespace

std::vector<std::byte> write_weight_only_onnx(const Graph& graph, const GroupTable& groups,
                                              const FileForm& form) {
  WeightOnlyWriter writer(graph, groups);
  writer.add_properties(form.properties);
  return writer.write();
}

}  // namespace octet
