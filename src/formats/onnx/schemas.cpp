#include "formats/onnx/schemas.h"

#include <onnx/defs/schema.h>

namespace octet {

void register_onnx_schemas() { (void)onnx::OpSchemaRegistry::Schema("Relu"); }

}  // namespace octet
