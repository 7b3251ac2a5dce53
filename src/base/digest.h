#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace octet {

/// 16 hexadecimal digits that tell whether bytes are the same as before, not who wrote them: FNV-1a
/// of 64 bits (G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, "The FNV Non-Cryptographic Hash
/// Algorithm", section 2).
std::string digest(std::span<const std::byte> bytes);

}  // namespace octet
