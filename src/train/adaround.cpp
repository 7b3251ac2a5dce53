#include "train/adaround.h"

namespace octet {

WalkSettings adaround() {
  return {.name = "adaround", .by_layer = true, .unit = {.rounding = true}};
}

}  // namespace octet
