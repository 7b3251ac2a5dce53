#pragma once

#include <string>

#include "graph/graph.h"

namespace octet {

/// Where a file holds the integers of a value that its runtime computes.
struct HeldValue {
  ValueId value = kAbsent;
  std::string tensor;          ///< its name in the file
  bool channels_last = false;  ///< NHWC there; else in the graph's order
};

}  // namespace octet
