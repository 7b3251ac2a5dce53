#pragma once

#include <string>
#include <string_view>

#include "quant/scheme.h"

namespace octet {

/// A scheme in words, as files carry it: "per-channel asymmetric 8-bit static avoid"; "full-range"
/// and "power-of-two" behind that where they are so.
std::string scheme_text(const Scheme& scheme);
/// Throws Code::Model for other words.
Scheme parse_scheme(std::string_view text);

}  // namespace octet
