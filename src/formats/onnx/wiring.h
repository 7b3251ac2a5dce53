#pragma once

namespace onnx {
class GraphProto;
}

namespace octet {

/// Checks that every value that the graph reads or declares as an output is made, once: by a node,
/// as an input or as an initializer, and that no node needs its own output. Then sorts the nodes
/// topologically (stable), as ONNX wants them. Throws Code::Model naming the node and the value.
void check_wiring(onnx::GraphProto& graph);

}  // namespace octet
