#pragma once

#include "ops/op_def.h"

namespace octet {

/// From now on nodes whose operator has no row are run by `run`, without a gradient, and stay in
/// float; nullptr: they are refused.
void set_foreign(RunFn run);

/// The node is run so.
bool is_foreign(const Node& node);

}  // namespace octet
