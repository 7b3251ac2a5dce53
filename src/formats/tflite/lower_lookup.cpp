#include <array>

#include "formats/tflite/lower.h"

namespace octet::lite {
namespace {

/// The integers of a tensor as indices into a table: CAST, ADD.
int indices_of(Lowering& to, const Node& node, int source, const QuantParams& in) {
  const Shape shape = to.in_file(source);
  const int wide = to.inner_int32(node.name + "/integer", shape);
  tflite::CastOptionsT cast;
  cast.in_data_type = in.type == DType::Int16 ? tflite::TensorType_INT16 : tflite::TensorType_INT8;
  cast.out_data_type = tflite::TensorType_INT32;
  to.emit(tflite::BuiltinOperator_CAST, 1, options_of(cast), {source}, {wide});

  const std::array<int64_t, 1> offset{-int64_t{in.low}};
  const int index = to.inner_int32(node.name + "/index", shape);
  to.emit(tflite::BuiltinOperator_ADD, 1, options_of(tflite::AddOptionsT{}),
          {wide, to.numbers(node.name + "/offset", offset)}, {index});
  return index;
}

}  // namespace

void lower_lookup(Lowering& to, const Node& node, const Lookup& lookup) {
  const QuantParams& out = to.grid(node, node.outputs[0]);
  const Order order = to.order(node);
  const int source = to.tensor_of(lookup.source, order);
  std::optional<int>& index = to.indices(source);
  if (!index) index = indices_of(to, node, source, to.grid(node, lookup.source));

  Tensor entries =
      integers_of(out.type, {static_cast<int64_t>(lookup.entries.size())}, lookup.entries);
  const int table = to.constant(node.name + "/table", std::move(entries), out);
  to.emit_gather(table, *index, 0, to.output(node, order));
}

}  // namespace octet::lite
