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
    Architecture{"mobilenetv2", "depthwise convolutions, ReLU6, residual adds", mobilenetv2},
    Architecture{"mobilenetv3-small", "hard-swish and squeeze-and-excite", mobilenetv3_small},
    Architecture{"efficientnet-lite0", "EfficientNet-B0 with ReLU6, without squeeze-and-excite",
                 efficientnet_lite0},
    Architecture{"efficientnet-b0", "SiLU and squeeze-and-excite", efficientnet_b0},
    Architecture{"efficientvit-b0", "linear attention of ReLU kernels among convolutions",
                 efficientvit_b0},
    Architecture{"efficientvit-b1", "the same, wider and deeper", efficientvit_b1},
    Architecture{"vit-tiny", "the vision transformer of 192 channels on patches of 16x16",
                 vit_tiny},
    Architecture{"resnet18", "the ImageNet ResNet of depth 18", resnet18},
    Architecture{"resnet50", "the ImageNet ResNet of depth 50, of bottlenecks", resnet50},
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
  fail(Code::Usage, "{}", unknown_name("architecture", name, known));
}

}  // namespace octet
