// OpenMP's threads, which LibTorch computes with, wait for one another and for the next work by
// spinning, libgomp's 300,000 turns long. Where anything else runs, threads then spin on the cores
// that those they wait for should have. Here they spin for 1,000 turns, which bridges the gaps
// between operators, and then sleep.
//
// libgomp reads its environment once, when it is loaded, and has no other way to be told. So the
// program starts itself anew with the word in its environment, before any library's own start:
// functions in this section come first (System V ABI, "Initialization and Termination Functions").
// The C library has not started either, so its environment and memory are not used here.

#include <alloca.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace {

char waiting_spins[] = "GOMP_SPINCOUNT=1000";

bool is_variable(const char* entry, const char* variable) {
  const size_t length = std::strlen(variable);
  return std::strncmp(entry, variable, length) == 0 && entry[length] == '=';
}

void set_patience(int /*count*/, char** arguments, char** environment) {
  char** end = environment;
  for (; *end != nullptr; ++end) {  // the user's word counts, and so does ours
    if (is_variable(*end, "GOMP_SPINCOUNT") || is_variable(*end, "OMP_WAIT_POLICY")) return;
  }
  const auto count = static_cast<size_t>(end - environment);
  auto** const longer = static_cast<char**>(::alloca((count + 2) * sizeof(char*)));
  std::copy_n(environment, count, longer);
  longer[count] = waiting_spins;
  longer[count + 1] = nullptr;
  ::execve("/proc/self/exe", arguments, longer);  // where that fails, threads spin as they used to
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const kSetPatience)(int, char**,
                                                                         char**) = set_patience;

}  // namespace
