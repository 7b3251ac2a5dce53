#include "passes/pattern.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>

#include "base/fail.h"

namespace octet {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) {}

  Pattern whole() {
    Pattern pattern = alternatives();
    if (!rest_.empty()) refuse("the end");
    return pattern;
  }

 private:
  [[noreturn]] void refuse(std::string_view wanted) const {
    fail(Code::Usage, "pattern '{}': at '{}': wanted {}", text_, rest_, wanted);
  }
  void skip_space() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front()))) {
      rest_.remove_prefix(1);
    }
  }
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    skip_space();
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) refuse(token);
  }
  std::string word() {
    const auto in_word = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
    };
    const auto end = std::ranges::find_if_not(rest_, in_word);
    std::string found(rest_.begin(), end);
    if (found.empty()) refuse("a name");
    rest_.remove_prefix(found.size());
    skip_space();
    return found;
  }
  bool at_number() const {
    const std::string_view digits = rest_.substr(rest_.starts_with('-') ? 1 : 0);
    return digits.starts_with("inf") ||
           (!digits.empty() && std::isdigit(static_cast<unsigned char>(digits.front())));
  }
  /// "3", "-0.5", "inf", "1/6"; `whole` tells an integer from a float.
  double number(bool* whole = nullptr) {
    double value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) refuse("a number");
    const std::string_view digits(rest_.data(), end);
    if (whole) *whole = digits.find_first_of(".einf") == std::string_view::npos;
    rest_.remove_prefix(digits.size());
    skip_space();
    if (take("/")) {
      if (whole) *whole = false;
      value /= number();
    }
    return value;
  }

  Pattern alternatives() {
    Pattern first = primary();
    if (!rest_.starts_with('|')) return first;
    Pattern either{.kind = Pattern::Kind::OneOf};
    either.operands.push_back(std::move(first));
    while (take("|")) either.operands.push_back(primary());
    return either;
  }
  Pattern primary() {
    skip_space();
    if (take("?")) return variable();
    if (at_number()) {
      return {.kind = Pattern::Kind::Literal, .literal = static_cast<float>(number())};
    }
    if (take("-")) return {.kind = Pattern::Kind::Absent};
    if (take("(")) {
      Pattern inner = alternatives();
      expect(")");
      return inner;
    }
    const bool shared = take("&");
    if (take("_")) return {.kind = Pattern::Kind::Any};
    Pattern node{.kind = Pattern::Kind::Operator, .name = word(), .shared = shared};
    if (take("{")) attributes(node);
    expect("(");
    do node.operands.push_back(alternatives());
    while (take(","));
    expect(")");
    return node;
  }
  Pattern variable() {
    Pattern pattern{.kind = Pattern::Kind::Any, .name = word()};
    if (take(":")) {
      const std::string kind = word();
      if (kind == "constant")
        pattern.kind = Pattern::Kind::Constant;
      else if (kind == "number")
        pattern.kind = Pattern::Kind::Number;
      else if (kind == "optional")
        pattern.kind = Pattern::Kind::Optional;
      else
        refuse("constant, number or optional before this");
    } else if (take("=")) {
      pattern.operands.push_back(primary());
    }
    return pattern;
  }
  void attributes(Pattern& node) {
    do {
      AttributePattern attribute;
      if (take("**")) {
        attribute.name = "**";
        attribute.variable = word();
      } else {
        attribute.name = word();
        expect("=");
        if (take("@"))
          attribute.variable = word();
        else
          attribute.value = attribute_value();
      }
      node.attributes.push_back(std::move(attribute));
    } while (take(","));
    expect("}");
  }
  Attribute attribute_value() {
    if (take("'")) {
      std::string held = word();
      expect("'");
      return held;
    }
    bool whole = true;
    if (take("[")) {
      std::vector<int64_t> list;
      do list.push_back(static_cast<int64_t>(number()));
      while (take(","));
      expect("]");
      return list;
    }
    const double held = number(&whole);
    return whole ? Attribute(static_cast<int64_t>(held)) : Attribute(static_cast<float>(held));
  }

  std::string_view text_;
  std::string_view rest_;
};

Pattern one_of(std::vector<Pattern> ways) {
  if (ways.size() == 1) return std::move(ways.front());
  return {.kind = Pattern::Kind::OneOf, .operands = std::move(ways)};
}

/// The ways to write op(a, b): as it stands, and where b is a number, by the inverse of both.
std::vector<Pattern> ways_of_two(const Pattern& node, Pattern a, Pattern b) {
  Pattern plain = node;
  plain.operands = {a, b};
  std::vector<Pattern> ways{std::move(plain)};
  if (a.kind == Pattern::Kind::Literal) std::swap(a, b);
  if (b.kind != Pattern::Kind::Literal || a.kind == Pattern::Kind::Literal) return ways;
  const bool product = node.name == "Mul";
  if ((!product && node.name != "Add") || (product && b.literal == 0)) return ways;
  b.literal = product ? 1 / b.literal : -b.literal;
  Pattern inverse = node;
  inverse.name = product ? "Div" : "Sub";
  inverse.operands = {std::move(a), std::move(b)};
  ways.push_back(std::move(inverse));
  return ways;
}

/// Every tree of two-operand nodes over the operands.
Pattern trees(const Pattern& node, const std::vector<Pattern>& operands) {
  if (operands.size() == 1) return operands[0];
  std::vector<Pattern> ways;
  // The first operand is on the left side of each split; commutativity gives the others.
  for (size_t split = 1; split < (size_t{1} << operands.size()) - 1; split += 2) {
    std::array<std::vector<Pattern>, 2> sides;
    for (size_t i = 0; i < operands.size(); ++i) {
      sides[(split >> i & 1) != 0 ? 0 : 1].push_back(operands[i]);
    }
    std::ranges::move(ways_of_two(node, trees(node, sides[0]), trees(node, sides[1])),
                      std::back_inserter(ways));
  }
  return one_of(std::move(ways));
}

Pattern spread(Pattern pattern) {
  for (Pattern& operand : pattern.operands) operand = spread(std::move(operand));
  const bool chained = pattern.name == "Add" || pattern.name == "Mul";
  if (pattern.kind != Pattern::Kind::Operator || !chained) return pattern;
  return trees(pattern, pattern.operands);
}

}  // namespace

Pattern parse_match(std::string_view text) { return spread(Parser(text).whole()); }

Pattern parse_replacement(std::string_view text) { return Parser(text).whole(); }

bool is_commutative(std::string_view op) {
  static constexpr std::array<std::string_view, 8> kCommutative{"Add", "Mul", "Max", "Min",
                                                                "And", "Or",  "Xor", "Equal"};
  return std::ranges::contains(kCommutative, op);
}

}  // namespace octet
