#include "train/reconstruct.h"

namespace octet {

WalkSettings reconstruct() {
  return {.name = "reconstruct", .unit = {.rounding = true, .ranges = true, .drop = 0.5}};
}

}  // namespace octet
