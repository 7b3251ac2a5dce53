#include "formats/tflite/writer.h"

#include "formats/tflite/fuse.h"
#include "formats/tflite/lower.h"
#include "formats/tflite/optimize.h"
#include "formats/tflite/serialize.h"
#include "formats/tflite/versions.h"

namespace octet {

namespace {

std::vector<std::byte> write(lite::LiteModel model) {
  lite::fuse_activations(model);
  lite::optimize(model);
  lite::raise_versions(model);
  return lite::serialize(model);
}

}  // namespace

std::vector<std::byte> write_tflite(const Graph& graph, const QuantTable& table) {
  return write(lite::lower(graph, table, lite::Arithmetic::Integer));
}

std::vector<std::byte> write_dynamic_tflite(const Graph& graph, const QuantTable& table) {
  return write(lite::lower(graph, table, lite::Arithmetic::Real));
}

bool writes_dynamic_tflite(std::string_view op) { return lite::lowers_real(op); }

}  // namespace octet
