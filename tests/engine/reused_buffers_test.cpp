#include "engine/reused_buffers.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <array>
#include <optional>

namespace octet {
namespace {

constexpr int64_t kFloats = 1 << 18;  // 1 MB

TEST(ReusedBuffers, GiveOutAgainWhatFits) {
  const ReusedBuffers reused;
  at::Tensor first = at::empty({kFloats});
  at::Tensor second = at::empty({kFloats});
  const std::array held{first.const_data_ptr(), second.const_data_ptr()};
  EXPECT_NE(held[0], held[1]);
  first.reset();
  second.reset();
  EXPECT_EQ(at::empty({kFloats - 7}).const_data_ptr(), held[1]);  // the last one used
  const at::Tensor large = at::empty({2 * kFloats});
  EXPECT_NE(large.const_data_ptr(), held[0]);
  EXPECT_NE(large.const_data_ptr(), held[1]);
  const at::Tensor small = at::empty({kFloats / 4});  // not of a buffer four times as large
  EXPECT_NE(small.const_data_ptr(), held[0]);
  EXPECT_NE(small.const_data_ptr(), held[1]);
}

TEST(ReusedBuffers, LeaveTensorsAloneThatLiveLonger) {
  c10::Allocator* const before = c10::GetCPUAllocator();
  at::Tensor kept;
  at::Tensor little;
  {
    const ReusedBuffers reused;
    {
      const ReusedBuffers inner;
      kept = at::full({kFloats}, 3.0F);
      little = at::full({4}, 5.0F);
    }
    EXPECT_NE(c10::GetCPUAllocator(), before);
  }
  EXPECT_EQ(c10::GetCPUAllocator(), before);
  const at::Tensor other = at::full({kFloats}, 4.0F);
  EXPECT_TRUE(kept.equal(at::full({kFloats}, 3.0F)));
  EXPECT_EQ(little.sum().item<float>(), 20);
  kept.reset();
  const ReusedBuffers again;
  EXPECT_EQ(at::full({kFloats}, 1.0F).sum().item<float>(), static_cast<float>(kFloats));
}

}  // namespace
}  // namespace octet
