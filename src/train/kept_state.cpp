#include "train/kept_state.h"

#include <ATen/core/grad_mode.h>

#include "base/fail.h"
#include "engine/executor.h"

namespace octet {

void keep_tensors(const std::string& prefix, const NamedTensors& tensors, Checkpoint& checkpoint) {
  for (const auto& [name, tensor] : tensors) {
    checkpoint.tensors[prefix + name] = from_torch(tensor.detach());
  }
}

void restore_tensors(const std::string& prefix, const Checkpoint& checkpoint,
                     const NamedTensors& tensors, const std::string& place) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors) {
    const auto kept = checkpoint.tensors.find(prefix + name);
    if (kept == checkpoint.tensors.end() ||
        !std::ranges::equal(kept->second.shape, tensor.sizes())) {
      fail(Code::Data, "{} has no '{}' as this network wants it; begin anew without --resume",
           place, prefix + name);
    }
    tensor.copy_(to_torch(kept->second));
  }
}

}  // namespace octet
