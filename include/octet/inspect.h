#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace octet {

struct OperatorRow {
  std::string op;
  int64_t count = 0;
  std::string arithmetic;  ///< what the runtime computes it in: "uint8", "int8", "float32"
};
struct Inspection {
  std::string format;  ///< "ONNX" or "TFLite"
  std::string runtime;
  int64_t size_bytes = 0;
  int64_t parameters = 0;                ///< elements of constants of floating point or weights
  int64_t multiply_adds = 0;             ///< of convolutions and matrix products, one image
  std::vector<OperatorRow> source;       ///< operators as written in the file
  std::vector<OperatorRow> executed;     ///< after the runtime's own optimization
  std::vector<std::string> still_float;  ///< executed in float: "Softmax \"/head/softmax\""
  std::vector<std::string> unsupported;  ///< float ONNX: what octet cannot quantize, and why
};

/// Operators, parameters and multiply-adds of an ONNX or TFLite file, and the arithmetic that its
/// runtime really uses.
Inspection inspect(const std::filesystem::path& model);

struct TargetRow {
  std::string name;     ///< as in QuantizeOptions::targets
  std::string format;   ///< of its files: "TFLite INT8"
  std::string scheme;   ///< "weights per channel, float at the ends"
  std::string runtime;  ///< whose kernels the profile is of: "TFLite 2.14"
  std::string purpose;
};
/// What files can be made for.
std::vector<TargetRow> targets();

struct PlanOptions {
  std::vector<std::string> targets;  ///< at least one
  std::vector<std::string> shapes;   ///< as in QuantizeOptions
};
/// What quantization for targets will make of a float network.
struct Plan {
  std::vector<std::string> passes;     ///< what will be rewritten: "lower_operators: 3"
  std::vector<OperatorRow> operators;  ///< afterwards; "int8", "int8 table", "float32", "refused"
  std::vector<std::string> reasons;    ///< node by node: why it is not in integers
  bool refused = false;                ///< a target's files have no place for such nodes
};
/// Says it before any work, and without data. Errors as `quantize`.
Plan plan(const std::filesystem::path& model, const PlanOptions& options);

}  // namespace octet
