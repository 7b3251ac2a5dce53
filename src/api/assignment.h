#pragma once

#include <functional>
#include <string>
#include <vector>

#include "octet/octet.h"

namespace octet {

/// What may be chosen of a network's file.
struct Assignment {
  std::string observer;
  std::vector<std::string> methods = {};
  int activation_bits = 8;
  // Names of layers (quant/layers.h), in their order.
  std::vector<std::string> on_16_bits = {};  ///< beside 8-bit ones
  std::vector<std::string> in_float = {};
};

/// A layer and what it is worth.
struct RankedLayer {
  std::string name;
  double noise = 0;                  ///< in the logits, when it alone is quantized
  size_t block = 0;                  ///< that it is of; blocks are numbered in their order
  std::vector<size_t> readers = {};  ///< layers that read its result, by their places
};

/// Where assignments are measured. What it answers decides what is tried next, and nothing else
/// does: with the same answers a search goes the same way again.
class Laboratory {
 public:
  virtual ~Laboratory() = default;
  virtual SearchTrial measure(const Assignment& assignment) = 0;
  /// The layers in their order, as this assignment (all of it in integers) quantizes them.
  virtual std::vector<RankedLayer> rank(const Assignment& assignment) = 0;
};

/// What a search may choose from, and what it is for.
struct SearchSpace {
  std::vector<std::string> observers;  ///< one or more
  std::vector<std::string> methods;    ///< that may come on top, one after the other
  bool layers_on_16_bits = false;      ///< the target's files may hold 16 bits beside 8
  bool layers_in_float = false;        ///< the target's files may hold float between integers
  int activation_bits = 8;             ///< of all that is in integers, at first
  bool wide = false;                   ///< 16 bits may be tried too
  bool latency = false;                ///< the cost counts it
  std::function<bool(const SearchTrial&)> keeps;   ///< the accuracy
  std::function<double(const SearchTrial&)> cost;  ///< what is made least
};

/// Measures assignments until none is left to try: first all in integers, by every observer; where
/// none keeps the accuracy, with methods, with 16 bits; then with as few of the blocks, and of the
/// layers, that hurt most on 16 bits, or in float, as it takes; then less and less of these, on 8
/// bits where that keeps the accuracy, else on 16. The laboratory remembers. It ends early by what
/// the laboratory throws.
void search_assignments(Laboratory& laboratory, const SearchSpace& space);

}  // namespace octet
