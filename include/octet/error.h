#pragma once

#include <stdexcept>
#include <string>

namespace octet {

/// What kind of thing went wrong. `exit_status` maps it to the program's exit code.
enum class Code {
  Usage,        ///< the command line, or an option of the library, makes no sense
  Recipe,       ///< a recipe or data description is wrong; the message names the line
  Data,         ///< images or labels cannot be used
  Model,        ///< the network file cannot be read or is not well formed
  Unsupported,  ///< the network is well formed, but octet (or a target) cannot do this yet
  Numeric,      ///< NaN or infinity where a number is needed
  Io,           ///< the system refused to read or write
  Runtime,      ///< ONNX Runtime, TFLite or LibTorch refused
};

/// 2 for what the caller gave (usage, recipe, data, model), 1 for work that failed.
int exit_status(Code code) noexcept;

/// The one exception type of the library. Its message is one line that names the place, what was
/// given, what was wanted and, where one is known, the next step:
///
///     quantize: node "/layer1/Mod" (Mod): this operator is not supported. ...
///
/// Foreign exceptions (ATen, protobuf, ONNX Runtime) are caught by the folder that owns the
/// library and thrown again as this type.
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Code code() const noexcept { return code_; }

 private:
  Code code_;
};

}  // namespace octet
