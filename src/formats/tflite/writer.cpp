#include "formats/tflite/writer.h"

#include "formats/tflite/lower.h"
#include "formats/tflite/optimize.h"
#include "formats/tflite/serialize.h"

namespace octet {

std::vector<std::byte> write_tflite(const Graph& graph, const QuantTable& table) {
  lite::LiteModel model = lite::lower(graph, table);
  lite::optimize(model);
  return lite::serialize(model);
}

}  // namespace octet
