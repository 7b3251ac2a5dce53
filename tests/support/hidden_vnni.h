#pragma once

#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

namespace octet::test {

/// What the processor has, less what is hidden.
enum class Hidden : uint8_t { Vnni, VnniAndAvx512 };

namespace hidden_vnni {

inline Hidden hidden;

inline bool let_cpuid_run(bool on) { return syscall(SYS_arch_prctl, ARCH_SET_CPUID, on) == 0; }

/// Runs the `cpuid` that faulted, and takes bits from its answer.
inline void answer(int number, siginfo_t* /*info*/, void* context) {
  auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto* code = reinterpret_cast<const unsigned char*>(registers[REG_RIP]);
  if (code[0] != 0x0F || code[1] != 0xA2) {
    signal(number, SIG_DFL);
    return;
  }
  const auto leaf = static_cast<unsigned>(registers[REG_RAX]);
  const auto part = static_cast<unsigned>(registers[REG_RCX]);
  unsigned a = 0, b = 0, c = 0, d = 0;
  let_cpuid_run(true);
  __cpuid_count(leaf, part, a, b, c, d);
  let_cpuid_run(false);
  if (leaf == 7 && part == 0) {
    c &= ~(1U << 11);                                       // AVX512_VNNI
    d &= ~(1U << 22 | 1U << 24 | 1U << 25);                 // AMX
    if (hidden == Hidden::VnniAndAvx512) b &= ~(1U << 16);  // AVX512F
  }
  if (leaf == 7 && part == 1) {
    a &= ~(1U << 4);  // AVX_VNNI
    d &= ~(1U << 4);  // AVX_VNNI_INT8
  }
  registers[REG_RAX] = a;
  registers[REG_RBX] = b;
  registers[REG_RCX] = c;
  registers[REG_RDX] = d;
  registers[REG_RIP] += 2;
}

}  // namespace hidden_vnni

/// From now on this thread, and those that it starts, see a processor without VNNI; a library that
/// has looked before is not deceived. False where processor or kernel cannot do that (Linux lets
/// `cpuid` fault on most Intel processors, and on AMD's since Zen 4).
inline bool hide_vnni(Hidden what) {
  hidden_vnni::hidden = what;
  struct sigaction action{};
  action.sa_sigaction = hidden_vnni::answer;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &action, nullptr);
  return hidden_vnni::let_cpuid_run(false);
}

}  // namespace octet::test
