#include "quant/targets/profiles.h"

namespace octet {

/// LiteRT, as TFLite is called now: the same kernels, and the int8 ones that came since. Its DIV
/// refuses divisors whose grid holds 0, which grids here always do.
TargetProfile litert() {
  TargetProfile profile = tflite();
  profile.name = "litert";
  profile.purpose = "LiteRT, the newest TFLite, which has more int8 kernels";
  profile.version = {2, 21};
  profile.simulated = false;  // the TFLite that octet is built with lacks its newest kernels
  return profile;
}

}  // namespace octet
