#pragma once

#include <string>
#include <vector>

#include "api/stages.h"
#include "quant/calibrate.h"

namespace octet {

/// "skip" or "fail"; Code::Usage for other words.
bool skips_bad_images(const std::string& word);

/// Which calibration images were left out and why, a line each; of many, the first ones.
std::vector<std::string> notes_on_skipped(const Calibration& seen);

/// What methods look at afterwards: where images were left out, the calibration images without
/// them.
Split without_skipped(const Split& split, const Calibration& seen);

}  // namespace octet
