#include "formats/tflite/writer.h"

#include <algorithm>

#include "formats/tflite/lower.h"
#include "formats/tflite/optimize.h"
#include "formats/tflite/serialize.h"

namespace octet {
namespace {

lite::LiteModel optimized(const Graph& graph, const QuantTable& table, Io io) {
  lite::LiteModel model = lite::lower(graph, table, io);
  lite::optimize(model);
  return model;
}

}  // namespace

std::vector<std::byte> write_tflite(const Graph& graph, const QuantTable& table,
                                    const FileForm& form) {
  lite::LiteModel model = optimized(graph, table, form.io);
  model.properties = form.properties;
  return lite::serialize(model);
}

std::vector<HeldValue> held_by_tflite(const Graph& graph, const QuantTable& table,
                                      const FileForm& form) {
  const lite::LiteModel model = optimized(graph, table, form.io);
  std::vector<HeldValue> held;
  for (const lite::LiteValue& value : model.values) {
    if (std::ranges::contains(model.inputs, value.tensor)) continue;  // given, not computed
    held.push_back({value.value, model.tensor(value.tensor).name, value.channels_last});
  }
  return held;
}

}  // namespace octet
