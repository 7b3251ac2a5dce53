// ONNX Runtime 1.23 computes wrong sums with AMX wherever a product has 32 rows or more (its pull
// request 27671 corrects that). All tests of this program, and the programs that they start, run
// without: a request for its registers is refused.

#include <gtest/gtest.h>

#if defined(__x86_64__) && defined(__linux__)

#include <asm/prctl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace octet {
namespace {

bool refuse_amx() {
  const auto load = [](size_t offset) {
    return sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
  };
  // Goes on where the word is `value`, else skips `otherwise` steps.
  const auto expect = [](uint32_t value, uint8_t otherwise) {
    return sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, otherwise));
  };
  const auto answer = [](uint32_t value) { return sock_filter(BPF_STMT(BPF_RET | BPF_K, value)); };
  std::array steps{load(offsetof(seccomp_data, arch)), expect(AUDIT_ARCH_X86_64, 5),
                   load(offsetof(seccomp_data, nr)),   expect(SYS_arch_prctl, 3),
                   load(offsetof(seccomp_data, args)), expect(ARCH_REQ_XCOMP_PERM, 1),
                   answer(SECCOMP_RET_ERRNO | EPERM),  answer(SECCOMP_RET_ALLOW)};
  const sock_fprog program{.len = static_cast<uint16_t>(steps.size()), .filter = steps.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

const bool amx_is_refused = refuse_amx();

TEST(Amx, IsNotUsedByTests) {
  constexpr int kTileData = 18;
  EXPECT_TRUE(amx_is_refused);
  EXPECT_EQ(syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, kTileData), -1);
}

}  // namespace
}  // namespace octet

#endif
