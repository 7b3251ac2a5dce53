#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include "engine/executor.h"
#include "passes/parts.h"

namespace octet {
namespace {

/// One character per dimension: the equation's letters; those of an ellipsis are numbered 1, 2, ...
/// from the right.
using Labels = std::string;

struct Equation {
  std::vector<Labels> in;
  Labels out;
};

struct Term {
  ValueId value;
  Labels labels;
  std::map<char, int64_t> size;  ///< -1: depends on the batch
};

Labels numbered(size_t count) {
  Labels labels;
  for (size_t i = count; i > 0; --i) labels.push_back(static_cast<char>(i));
  return labels;
}

/// The labels with `ellipsis` for the dots.
Labels spelled(const std::string& text, const Labels& ellipsis) {
  const size_t dots = text.find("...");
  return dots == std::string::npos ? text : text.substr(0, dots) + ellipsis + text.substr(dots + 3);
}

bool are_labels(const Labels& labels) {
  const std::set<char> once(labels.begin(), labels.end());
  return once.size() == labels.size() && std::ranges::all_of(labels, [](unsigned char c) {
           return std::isalpha(c) != 0 || c < ' ';
         });
}

/// What an equation without "->" puts out: the ellipsis, then the letters that stand once, sorted.
Labels implied(const std::vector<std::string>& texts, const Labels& ellipsis) {
  std::map<char, int> seen;
  for (const std::string& text : texts) {
    for (const char c : text) ++seen[c];
  }
  Labels out = ellipsis;
  for (const auto& [label, count] : seen) {
    if (count == 1 && label != '.') out.push_back(label);
  }
  return out;
}

/// Spelled out for operands of these ranks; nullopt where a label stands twice in an operand.
std::optional<Equation> parse(std::string text, const std::vector<size_t>& ranks) {
  std::erase(text, ' ');
  const size_t arrow = text.find("->");
  std::vector<std::string> texts(1);
  for (const char c : text.substr(0, arrow)) {
    if (c == ',') {
      texts.emplace_back();
    } else {
      texts.back().push_back(c);
    }
  }
  if (texts.size() != ranks.size()) return std::nullopt;
  Equation found;
  size_t longest = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const bool dots = texts[i].contains("...");
    const size_t letters = texts[i].size() - (dots ? 3 : 0);
    if (letters > ranks[i] || (!dots && letters != ranks[i])) return std::nullopt;
    found.in.push_back(spelled(texts[i], numbered(ranks[i] - letters)));
    longest = std::max(longest, ranks[i] - letters);
  }
  found.out = arrow == std::string::npos ? implied(texts, numbered(longest))
                                         : spelled(text.substr(arrow + 2), numbered(longest));
  const bool spelled_out = std::ranges::all_of(found.in, are_labels) && are_labels(found.out);
  return spelled_out ? std::optional(found) : std::nullopt;
}

Labels intersection(const Labels& a, const Labels& b) {
  Labels both;
  std::ranges::copy_if(a, std::back_inserter(both), [&](char c) { return b.contains(c); });
  return both;
}
Labels difference(const Labels& a, const Labels& b) {
  Labels rest;
  std::ranges::copy_if(a, std::back_inserter(rest), [&](char c) { return !b.contains(c); });
  return rest;
}

int64_t product(const Term& term, const Labels& labels) {
  int64_t count = 1;
  for (const char c : labels) {
    if (term.size.at(c) < 0) return -1;
    count *= term.size.at(c);
  }
  return count;
}

/// Appends what a contraction is made of. What only constants go into is computed at once.
class Contraction {
 public:
  Contraction(Graph& graph, NodeId replaced) : graph_(graph), parts_(graph, replaced) {}

  Term turned(const Term& x, const Labels& order) {
    if (x.labels == order) return x;
    std::vector<int64_t> perm;
    for (const char c : order) perm.push_back(static_cast<int64_t>(x.labels.find(c)));
    return {append("Transpose", {x.value}, {{"perm", perm}}), order, x.size};
  }
  ValueId reshaped(ValueId x, const std::vector<int64_t>& shape) {
    return append("Reshape", {x, list(shape)});
  }
  /// Without dimensions of one.
  Term squeezed(const Term& x, const Labels& gone) {
    if (gone.empty()) return x;
    std::vector<int64_t> axes;
    for (const char c : gone) axes.push_back(static_cast<int64_t>(x.labels.find(c)));
    return {append("Squeeze", {x.value, list(axes)}), difference(x.labels, gone), x.size};
  }
  /// The sum over some of the dimensions.
  Term summed(const Term& x, const Labels& gone) {
    if (gone.empty()) return x;
    const Labels kept = difference(x.labels, gone);
    ValueId rows = turned(x, kept + gone).value;
    const int64_t count = product(x, gone);
    if (gone.size() > 1) {
      std::vector<int64_t> shape = sizes(x, kept);
      shape.push_back(count);
      rows = reshaped(rows, shape);
    }
    rows = sum_last(parts_, name("sum"), rows, count, 1);
    return {append("Squeeze", {rows, list({-1})}), kept, x.size};
  }
  /// Nothing is summed: both in the order of the output, with dimensions of one.
  Term multiplied(const Term& a, const Term& b, const Labels& out) {
    const ValueId left = spread(a, out);
    const ValueId right = spread(b, out);
    return {append("Mul", {left, right}), out, sizes_of_both(a, b)};
  }
  Term contracted(const Term& a, const Term& b, const Labels& out);

  ValueId append(const std::string& op, const std::vector<ValueId>& inputs,
                 const std::map<std::string, Attribute>& attributes = {}) {
    const bool constant =
        std::ranges::all_of(inputs, [&](ValueId in) { return graph_.is_constant(in); });
    const std::string part = name(op);
    if (!constant) return parts_.op(op, part, inputs, attributes);
    const Node node{
        .name = part, .op = op, .inputs = inputs, .outputs = {}, .attributes = attributes};
    return parts_.constant(part, evaluate_constant(graph_, node).at(0));
  }
  void finish() { parts_.finish(); }

  static std::vector<int64_t> sizes(const Term& x, const Labels& labels) {
    std::vector<int64_t> found;
    for (const char c : labels) found.push_back(x.size.at(c));
    return found;
  }

 private:
  static std::map<char, int64_t> sizes_of_both(const Term& a, const Term& b) {
    std::map<char, int64_t> both = a.size;
    for (const auto& [label, size] : b.size) {
      const auto it = both.try_emplace(label, size).first;
      if (size < 0 || it->second == 1) it->second = size;
    }
    return both;
  }
  ValueId spread(const Term& x, const Labels& out) {
    const Term ordered = turned(x, intersection(out, x.labels));
    std::vector<int64_t> axes;
    bool inside = false;
    for (size_t i = 0; i < out.size(); ++i) {
      inside = inside || x.labels.contains(out[i]);
      if (inside && !x.labels.contains(out[i])) axes.push_back(static_cast<int64_t>(i));
    }
    if (axes.empty()) return ordered.value;
    // Axes count from the right, for dimensions of one in front are left out.
    for (int64_t& axis : axes) axis -= static_cast<int64_t>(out.size());
    return append("Unsqueeze", {ordered.value, list(axes)});
  }
  ValueId list(const std::vector<int64_t>& numbers) { return parts_.list(name("list"), numbers); }
  std::string name(std::string_view of) { return std::string(of) + std::to_string(++count_); }

  Graph& graph_;
  Parts parts_;
  int count_ = 0;
};

/// How the labels of two operands take part in their product.
struct Roles {
  Labels batch, rows, columns, sums;

  Roles(const Term& a, const Term& b, const Labels& out)
      : batch(intersection(intersection(out, a.labels), b.labels)),
        rows(difference(intersection(out, a.labels), b.labels)),
        columns(difference(intersection(out, b.labels), a.labels)),
        sums(difference(intersection(a.labels, b.labels), out)) {}

  Labels left() const { return batch + rows + sums; }
  Labels right() const { return batch + sums + columns; }
  Labels result() const { return batch + rows + columns; }
};

/// a x b as one product of matrices, perhaps of a batch of them.
Term Contraction::contracted(const Term& a, const Term& b, const Labels& out) {
  const Roles roles(a, b, out);
  const bool one_sum = roles.sums.size() == 1;
  // A product with one matrix takes any number of rows' dimensions.
  const bool rows_stay =
      one_sum && (roles.rows.size() == 1 || (roles.batch.empty() && !roles.rows.empty()));
  const bool columns_stay = one_sum && roles.columns.size() == 1;
  ValueId left = turned(a, roles.left()).value;
  ValueId right = turned(b, roles.right()).value;
  if (!rows_stay) {
    std::vector<int64_t> shape = sizes(a, roles.batch);
    shape.insert(shape.end(), {product(a, roles.rows), product(a, roles.sums)});
    left = reshaped(left, shape);
  }
  if (!columns_stay) {
    std::vector<int64_t> shape = sizes(b, roles.batch);
    shape.insert(shape.end(), {product(b, roles.sums), product(b, roles.columns)});
    right = reshaped(right, shape);
  }
  Term made{append("MatMul", {left, right}), roles.result(), sizes_of_both(a, b)};
  const bool as_it_is = (rows_stay || roles.rows.size() == 1) && roles.columns.size() == 1;
  if (!as_it_is) made.value = reshaped(made.value, sizes(made, made.labels));
  return turned(made, out);
}

std::optional<Term> term_of(const Graph& graph, ValueId id, const Labels& labels) {
  const Value& value = graph.value(id);
  Term term{id, labels, {}};
  for (size_t i = 0; i < labels.size(); ++i) {
    if (value.shape[i] == 0) return std::nullopt;
    term.size[labels[i]] = value.shape[i];
  }
  return term;
}

/// Dimensions of one that the other operand has longer.
Labels stretched(const Term& x, const Term& other) {
  Labels found;
  for (const char c : x.labels) {
    if (x.size.at(c) == 1 && other.labels.contains(c) && other.size.at(c) != 1) found.push_back(c);
  }
  return found;
}

/// One open dimension at most, which is not summed by itself; every label of the output is known.
bool can_lower(const std::vector<Term>& terms, const Labels& out, const Graph& graph) {
  std::map<char, int> operands;
  std::set<char> open;
  for (const Term& term : terms) {
    for (const auto& [label, size] : term.size) {
      ++operands[label];
      if (size < 0) open.insert(label);
    }
  }
  if (open.size() > 1) return false;
  if (std::ranges::any_of(out, [&](char c) { return !operands.contains(c); })) return false;
  for (const Term& term : terms) {
    for (const char c : difference(term.labels, out)) {
      const bool alone = operands[c] == 1 || stretched(terms[0], terms.back()).contains(c) ||
                         stretched(terms.back(), terms[0]).contains(c);
      if (alone && (term.size.at(c) < 0 || graph.is_constant(term.value))) return false;
    }
  }
  return true;
}

/// Transposes of computed values that the product takes with the operands in this order.
size_t transposes(const Graph& graph, const Term& a, const Term& b, const Labels& out) {
  const Roles roles(a, b, out);
  return (!graph.is_constant(a.value) && a.labels != roles.left() ? 1U : 0U) +
         (!graph.is_constant(b.value) && b.labels != roles.right() ? 1U : 0U) +
         (roles.result() != out ? 1U : 0U);
}

void contract(Graph& graph, Contraction& with, Term a, Term b, const Labels& out) {
  const Labels from_a = stretched(a, b);
  const Labels from_b = stretched(b, a);
  a = with.squeezed(a, from_a);
  b = with.squeezed(b, from_b);
  a = with.summed(a, difference(difference(a.labels, out), b.labels));
  b = with.summed(b, difference(difference(b.labels, out), a.labels));
  if (Roles(a, b, out).sums.empty()) {
    with.multiplied(a, b, out);
    return;
  }
  // A constant has a scale per column on the right only.
  const bool swapped =
      graph.is_constant(a.value) ||
      (!graph.is_constant(b.value) && transposes(graph, b, a, out) < transposes(graph, a, b, out));
  swapped ? with.contracted(b, a, out) : with.contracted(a, b, out);
}

/// Sums of products over named dimensions (https://onnx.ai/onnx/operators/onnx__Einsum.html) of one
/// or two operands.
bool lower_einsum(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  std::vector<size_t> ranks;
  bool computed = false;
  for (const ValueId in : node.inputs) {
    const Value& value = graph.value(in);
    if (!value.shape_known || value.dtype != DType::Float32) return false;
    ranks.push_back(value.shape.size());
    computed = computed || !graph.is_constant(in);
  }
  if (ranks.empty() || ranks.size() > 2 || !computed) return false;
  const auto equation = parse(node.text("equation", ""), ranks);
  if (!equation) return false;
  std::vector<Term> terms;
  for (size_t i = 0; i < ranks.size(); ++i) {
    const auto term = term_of(graph, node.inputs[i], equation->in[i]);
    if (!term) return false;
    terms.push_back(*term);
  }
  if (!can_lower(terms, equation->out, graph)) return false;
  Contraction with(graph, id);
  if (terms.size() == 2) {
    contract(graph, with, terms[0], terms[1], equation->out);
  } else {
    const Term sum = with.summed(terms[0], difference(terms[0].labels, equation->out));
    const Term out = with.turned(sum, equation->out);
    if (out.value == terms[0].value) with.append("Identity", {out.value});
  }
  with.finish();
  return true;
}

constexpr std::array kEinsumLowerings{OperatorLowering{"Einsum", lower_einsum}};

}  // namespace

std::span<const OperatorLowering> einsum_lowerings() { return kEinsumLowerings; }

}  // namespace octet
