#include "formats/tflite/writer.h"

#include <algorithm>

#include "formats/tflite/fuse.h"
#include "formats/tflite/lower.h"
#include "formats/tflite/optimize.h"
#include "formats/tflite/serialize.h"
#include "formats/tflite/versions.h"

namespace octet {
namespace {

lite::LiteModel optimized(const Graph& graph, const QuantTable& table, lite::Arithmetic arithmetic,
                          Io io) {
  lite::LiteModel model = lite::lower(graph, table, arithmetic, io);
  lite::fuse_activations(model);
  lite::optimize(model);
  lite::raise_versions(model);
  return model;
}

std::vector<std::byte> write(lite::LiteModel model, const FileForm& form) {
  model.properties = form.properties;
  return lite::serialize(model);
}

}  // namespace

std::vector<std::byte> write_tflite(const Graph& graph, const QuantTable& table,
                                    const FileForm& form) {
  return write(optimized(graph, table, lite::Arithmetic::Integer, form.io), form);
}

std::vector<std::byte> write_dynamic_tflite(const Graph& graph, const QuantTable& table,
                                            const FileForm& form) {
  return write(optimized(graph, table, lite::Arithmetic::Real, form.io), form);
}

bool writes_real_tflite(std::string_view op) { return lite::lowers_real(op); }

std::vector<HeldValue> held_by_tflite(const Graph& graph, const QuantTable& table,
                                      const FileForm& form) {
  const lite::LiteModel model = optimized(graph, table, lite::Arithmetic::Integer, form.io);
  std::vector<HeldValue> held;
  for (const lite::LiteValue& value : model.values) {
    if (std::ranges::contains(model.inputs, value.tensor)) continue;  // given, not computed
    held.push_back({value.value, model.tensor(value.tensor).name, value.channels_last});
  }
  return held;
}

}  // namespace octet
