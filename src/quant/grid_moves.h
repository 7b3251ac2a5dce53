#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace octet {

/// What moves a grid in training.
enum class GridMoves : uint8_t {
  Learned,   ///< gradients
  Observed,  ///< what is seen: it follows the data
  Fixed,     ///< nothing
};

/// Their words in a recipe, in order.
inline constexpr std::array<std::string_view, 3> kGridMoveNames{"learned", "observed", "fixed"};

}  // namespace octet
