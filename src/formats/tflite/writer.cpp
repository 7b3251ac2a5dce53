#include "formats/tflite/writer.h"

#include "formats/tflite/lower.h"
#include "formats/tflite/optimize.h"
#include "formats/tflite/serialize.h"

namespace octet {

std::vector<std::byte> write_tflite(const Graph& graph, const QuantTable& table,
                                    const FileForm& form) {
  lite::LiteModel model = lite::lower(graph, table, form.io);
  lite::optimize(model);
  return lite::serialize(model);
}

}  // namespace octet
