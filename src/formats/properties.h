#pragma once

#include <map>
#include <string>

namespace octet {

/// What a file says of itself, by key ("octet.targets"): ONNX's metadata_props; in TFLite the lines
/// "KEY=TEXT" of the metadata entry "octet".
using Properties = std::map<std::string, std::string>;

}  // namespace octet
