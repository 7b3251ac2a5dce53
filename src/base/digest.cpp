#include "base/digest.h"

#include <cstdint>
#include <format>

namespace octet {

std::string digest(std::span<const std::byte> bytes) {
  uint64_t state = 0xcbf29ce484222325U;
  for (const std::byte byte : bytes) {
    state ^= std::to_integer<uint64_t>(byte);
    state *= 0x100000001b3U;
  }
  return std::format("{:016x}", state);
}

}  // namespace octet
