#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/tensor.h"

namespace onnx {
class GraphProto;
}

namespace octet {

/// What the caller says of a graph input whose dimensions the file leaves open.
struct InputShape {
  std::string name;  ///< empty: the only input
  Shape shape;       ///< the first may be below zero: any batch
};

/// "x=Nx3x224x224", "x=-1x3x224x224" or "1x3x224x224"; dimensions from 1 to 65536. nullopt when it
/// is something else.
std::optional<InputShape> parse_input_shape(const std::string& text);

/// All of the texts. Throws Code::Usage naming one that is something else.
std::vector<InputShape> parse_input_shapes(std::span<const std::string> texts);

/// "NAME=1x3x224x224, ...": what messages want.
extern const char* const kInputShapeForm;

/// Fills the open dimensions of the graph's inputs; initializers are no inputs. Throws Code::Usage
/// naming the shape: no such input, two shapes for one input, another size or rank than the file
/// gives.
void set_input_shapes(onnx::GraphProto& graph, std::span<const InputShape> shapes);

}  // namespace octet
