#include "formats/tflite/writer.h"

#include "formats/tflite/lower.h"
#include "formats/tflite/optimize.h"
#include "formats/tflite/serialize.h"

namespace octet {
namespace {

lite::LiteModel optimized(const Graph& graph, const QuantTable& table) {
  lite::LiteModel model = lite::lower(graph, table);
  lite::optimize(model);
  return model;
}

}  // namespace

std::vector<std::byte> write_tflite(const Graph& graph, const QuantTable& table,
                                    const Properties& properties) {
  lite::LiteModel model = optimized(graph, table);
  model.properties = properties;
  return lite::serialize(model);
}

std::vector<HeldValue> held_by_tflite(const Graph& graph, const QuantTable& table) {
  const lite::LiteModel model = optimized(graph, table);
  std::vector<HeldValue> held;
  for (const lite::LiteValue& value : model.values) {
    held.push_back({value.value, model.tensor(value.tensor).name, value.channels_last});
  }
  return held;
}

}  // namespace octet
