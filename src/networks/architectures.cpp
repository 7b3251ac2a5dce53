#include "networks/architectures.h"

#include <array>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

constexpr std::array kArchitectures{
    Architecture{"mobilenetv3-tiny",
                 "MobileNetV3's blocks for small images: depthwise convolutions, hard-swish, "
                 "squeeze-and-excite, residual adds",
                 mobilenetv3_tiny},
    Architecture{"resnet20", "the CIFAR ResNet of depth 20", resnet20},
};

}  // namespace

std::span<const Architecture> all_architectures() { return kArchitectures; }

Graph make_network(std::string_view name, const NetworkSize& size, uint64_t seed) {
  if (size.input.size() != 3 || size.classes < 1 || !(size.width > 0)) {
    fail(Code::Usage,
         "a network wants an input CxHxW, one class or more and a width above 0; "
         "given {}, {} and {}",
         shape_text(size.input), size.classes, size.width);
  }
  std::vector<std::string> known;
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == name) return architecture.make(size, seed);
    known.emplace_back(architecture.name);
  }
  fail(Code::Usage, "unknown architecture '{}'; known are {}", name, join(known));
}

}  // namespace octet
