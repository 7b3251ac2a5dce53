#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "formats/onnx/import.h"
#include "formats/onnx/import_grid.h"

namespace octet {

/// Takes the nodes of a file one after the other and says of each value what it is in the new
/// graph: a real number, or integers that stand for one.
class Importer {
 public:
  explicit Importer(const Graph& file) : file_(file) {}
  ImportedNetwork run();

  const Graph& file() const { return file_; }

  /// The grid that inputs `scale` and `scale + 1` of the node give its tensor `operand` (an input,
  /// or the name of a result). `axis`: of a constant with more than one scale.
  FileGrid operand_grid(const Node& node, size_t operand, size_t scale, int64_t axis = 0) const;
  FileGrid result_grid(const Node& node, size_t scale) const;
  /// The real value whose integers on `grid` are the node's input.
  ValueId operand(const Node& node, size_t index, const FileGrid& grid);
  /// The int32 constant on the scale of both products as a real bias; kAbsent where it is not
  /// given.
  ValueId bias(const Node& node, size_t index, const FileGrid& input, const FileGrid& weight,
               float factor = 1);
  /// The value of an input that is no integers of a tensor: real numbers, shapes, indices.
  ValueId real_input(const Node& node, size_t index) { return real(node, node.inputs.at(index)); }
  /// Adds the operator that stands for the node; its output's integers are the node's.
  void result(const Node& node, std::string op, std::vector<ValueId> inputs,
              std::map<std::string, Attribute> attributes, const FileGrid& grid);

 private:
  /// What a value of the file is.
  struct Binding {
    enum class Kind : uint8_t {
      Real,      ///< `id`
      Integers,  ///< of `id`, on `grid`
      Constant,  ///< `integers`, on `grid`
    };
    Kind kind = Kind::Real;
    ValueId id = kAbsent;
    FileGrid grid;
    bool dequantized = false;  ///< real, and on its grid by what the file says
    std::shared_ptr<const Tensor> integers;
    std::string name;
  };

  void add_input(ValueId id);
  void visit(const Node& node);
  void quantize(const Node& node);
  void dequantize(const Node& node);
  void copy(const Node& node);
  void on_integers(const Node& node);
  void clip_integers(const Node& node, const Binding& held);
  void move_integers(const Node& node, const Binding& held);
  bool turn_constant(const Node& node);
  bool look_up(const Node& node);
  bool in_row(const Node& node);
  /// The grid that a reader of integers gives them: what makes them does not say.
  FileGrid grid_by_reader(ValueId id) const;
  /// `seen`: values that were looked at.
  std::optional<FileGrid> find_grid_by_reader(ValueId id, std::set<ValueId>& seen) const;
  bool alias(const Node& node);
  void add_outputs();

  const Binding* find(ValueId id) const;
  bool is_integers(ValueId id) const;
  /// Of a constant, as the file or an earlier node has them; nullptr: the value flows.
  const Tensor* stored_integers(ValueId id) const;
  ValueId real(const Node& node, ValueId id);
  ValueId add_constant(const std::string& name, const Tensor& integers, const QuantParams& grid);
  ValueId on_grid(const Node& node, const Binding& held, const FileGrid& grid);
  ValueId rescaled(const Node& node, const Binding& held, const FileGrid& wanted);
  ValueId integers_like(const Node& node, ValueId id, const Binding& like);
  std::optional<Tensor> float_constant(ValueId id) const;
  ValueId add_node(const Node& like, std::string op, std::vector<ValueId> inputs,
                   std::map<std::string, Attribute> attributes);
  void bind(ValueId id, Binding binding) { bound_[id] = std::move(binding); }

  const Graph& file_;
  ImportedNetwork made_;
  std::map<ValueId, Binding> bound_;
  std::map<std::pair<ValueId, float>, ValueId> rescaled_;
  std::set<const Node*> in_rows_;  ///< nodes that bring what a table made back into shape
};

/// What stands for an operator of ONNX Runtime that computes with integers.
struct ImportRow {
  std::string_view op;
  void (*import)(Importer& to, const Node& node);
};

std::span<const ImportRow> import_rows();

}  // namespace octet
