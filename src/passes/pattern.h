#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// An attribute in a pattern: `axis=1` asks for (or writes) a value, `axis=@a` binds (or writes) a
/// variable, `**a` stands for all attributes of the node.
struct AttributePattern {
  std::string name;      ///< "**" for all
  std::string variable;  ///< empty where a value is given
  std::optional<Attribute> value;
};

/// A piece of a network, to be looked for or to be built. Its text:
///
///     Relu(?x)                 a node of one operator; ?x is any value, and the same one wherever
///                              ?x stands again (constants are the same when their data is)
///     Mul(?x, 0.5)             a constant of one number, to 1e-5 of it; also inf, -inf, 1/6
///     ?c:constant              any constant
///     ?c:number                a constant of one float
///     ?b:optional              any value, or an operand that is not given
///     -                        an operand that is not given
///     _                        any value
///     ?y=Exp(?x)               binds what is looked for
///     Mul(?x, 2) | Add(?x, ?x) either
///     &Transpose(?x)           others may read this value, too: the rule pays off all the same
///     Softmax{axis=@a}(?x)     attributes: 1, 0.5, 'text', [1, 2], a variable, or all (**a)
///
/// Operands at the end that are not written must not be given. In a pattern to look for, operands
/// of commutative operators match in any order, Add and Mul of three and more match every tree of
/// two, a product with a number also matches the division by its inverse, and a sum with a number
/// the difference.
struct Pattern {
  enum class Kind {
    Any,
    Constant,
    Number,
    Optional,
    Literal,
    Absent,
    Operator,
    OneOf,
  };
  Kind kind = Kind::Any;
  std::string name;     ///< the variable's (empty: not bound), or the operator's
  float literal = 0;    ///< of Literal
  bool shared = false;  ///< of Operator: may have other readers
  std::vector<AttributePattern> attributes;
  std::vector<Pattern> operands;  ///< also the alternatives of OneOf, and what Any binds
};

/// The pattern to look for that the text says. Throws Code::Usage quoting the text.
Pattern parse_match(std::string_view text);

/// The pattern to build that the text says. Throws Code::Usage quoting the text.
Pattern parse_replacement(std::string_view text);

/// Whether both operands of the operator may trade places.
bool is_commutative(std::string_view op);

}  // namespace octet
