#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "graph/io.h"
#include "quant/scheme.h"

namespace octet {

/// What a target demands of an operator's output grid.
enum class OutputGrid : uint8_t {
  Free,        ///< any scale and zero point
  WholeShift,  ///< the input's zero point is a whole number of its steps (quant/whole_shift.h)
  SameAsInput,
  Fixed,  ///< `scale` and `zero_point` of the row
};

/// The release of a runtime.
struct Version {
  int major = 0;
  int minor = 0;
  auto operator<=>(const Version&) const = default;
};

/// Why a target has no integer kernel for this node; empty where it has one. Shapes are known.
/// Completes "its ...".
using Constraint = std::string (*)(const Graph& graph, const Node& node);

/// One operator that a target computes in integers.
struct TargetOp {
  std::string_view op;  ///< ONNX operator name
  OutputGrid output = OutputGrid::Free;
  float scale = 0;
  int32_t zero_point = 0;
  Scheme::Weights weights = Scheme::Weights::PerChannel;  ///< the finest that its kernel takes
  Constraint constraint = nullptr;
  int weight_bits = 8;  ///< the fewest of a constant weight that its kernel takes
  Version since = {};   ///< the first release of the runtime with this kernel
};

/// Which nodes the files of a target may compute in float between integers.
enum class FloatNodes : uint8_t {
  None,
  Asked,  ///< those that an override asks for
  Any,    ///< those without an integer form too
};

/// What a runtime can do, as data. An operator without a row has no integer kernel there: it must
/// be lowered to operators that have one, be a table, or stay in float where the files may.
struct TargetProfile {
  std::string_view name;
  std::string_view purpose;    ///< what it is for, one line
  std::string_view format;     ///< of its files: "ONNX INT8"
  std::string_view extension;  ///< of its files: ".onnx"
  std::string_view runtime;    ///< that verifies its files here: "TFLite"
  std::span<const TargetOp> ops;
  Version version = {};  ///< of the runtime that the rows are read for
  FloatNodes float_nodes = FloatNodes::None;
  bool tables = true;                 ///< functions of one number may be tables
  Io io = Io::Float;                  ///< the ends of its files, where nothing else is asked for
  bool io_only = false;               ///< its files can have no other ends
  bool unsigned_activations = false;  ///< its ONNX files hold activations as uint8
  bool fixed_point = false;           ///< multipliers are integers with a shift (quant/ratio.h)
  bool narrow_sums = false;           ///< on some processors pairs of products are added in 16 bits
  int activation_bits = 8;            ///< that its integer kernels take
  std::string_view of_16_bits =
      {};                 ///< the target that its kernels of 16 bits are of, beside these
  bool simulated = true;  ///< a dialect computes here what its files do, bit for bit

  /// nullptr: no integer kernel in this version.
  const TargetOp* find(std::string_view op) const;
  /// The finest granularity of weights that any of its operators takes.
  Scheme::Weights weights() const;
  /// The fewest bits of a weight that any of its operators takes.
  int weight_bits() const;
};

const std::vector<TargetProfile>& all_targets();

/// Throws Code::Usage naming the known targets.
const TargetProfile& target_named(std::string_view name);

/// The targets that one run serves together: where their rules differ the strictest holds, so one
/// set of integers fits all of them.
class TargetSet {
 public:
  /// At least one; throws as `target_named`.
  explicit TargetSet(std::span<const std::string> names);

  std::span<const TargetProfile* const> profiles() const { return profiles_; }
  std::vector<std::string> names() const;
  /// Every target has an integer kernel of the operator.
  bool supports(std::string_view op) const;
  /// Why some target has no integer kernel for the node ("A and B have no integer form of it");
  /// empty where all have one.
  std::string refusal(const Graph& graph, const Node& node) const;
  /// A target adds pairs of products in 16 bits on some processors.
  bool narrow_sums() const;
  /// The strictest demand of the set: Fixed before SameAsInput before WholeShift before Free, per
  /// tensor before per channel, 8 bits of weights before 4.
  TargetOp demand(std::string_view op) const;
  /// Every target computes functions of one number by tables.
  bool tables() const;
  /// The finest granularity that every target has.
  Scheme::Weights weights() const;
  /// What stands at the ends of the files where nothing is asked for: integers where a target wants
  /// them.
  Io io() const;
  /// What computes on 16-bit activations beside 8-bit ones; targets without such kernels stand for
  /// themselves.
  TargetSet of_16_bits() const;
  /// Throws Code::Usage naming a target that cannot run the scheme, and what it can.
  void check(const Scheme& scheme) const;
  /// Throws Code::Usage naming a target whose files have other ends.
  void check(Io io) const;

 private:
  std::vector<const TargetProfile*> profiles_;
};

}  // namespace octet
