// Words that libraries read from the environment once, when they are loaded, and have no other way
// to be told. So the program starts itself anew with them, before any library's own start:
// functions in this section come first (System V ABI, "Initialization and Termination Functions").
// The C library has not started either, so its environment and memory are not used here.
//
// OpenMP's threads, which LibTorch computes with, wait for one another and for the next work by
// spinning, libgomp's 300,000 turns long. Where anything else runs, threads then spin on the cores
// that those they wait for should have. Here they spin for 1,000 turns, which bridges the gaps
// between operators, and then sleep.
//
// UCX, which comes with the MPI that Debian's LibTorch is linked with, patches the functions of the
// C library that map memory: half a second of every start, for networks of computers that octet
// never speaks to.

#include <alloca.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace {

struct Word {
  char* entry;
  const char* instead;  ///< a variable of the user's that says the same; may be nullptr
};

char waiting_spins[] = "GOMP_SPINCOUNT=1000";
char no_memory_hooks[] = "UCX_MEM_MMAP_HOOK_MODE=none";
constexpr std::array kWords{Word{waiting_spins, "OMP_WAIT_POLICY"}, Word{no_memory_hooks, nullptr}};

bool sets(const char* entry, const char* variable, size_t length) {
  return std::strncmp(entry, variable, length) == 0 && entry[length] == '=';
}

/// The user's word counts, and so does ours.
bool is_said(char** environment, const Word& word) {
  const auto length = static_cast<size_t>(std::strchr(word.entry, '=') - word.entry);
  for (char** entry = environment; *entry != nullptr; ++entry) {
    if (sets(*entry, word.entry, length)) return true;
    if (word.instead && sets(*entry, word.instead, std::strlen(word.instead))) return true;
  }
  return false;
}

void start_with_words(int /*count*/, char** arguments, char** environment) {
  char** end = environment;
  while (*end != nullptr) ++end;
  const auto count = static_cast<size_t>(end - environment);
  auto** const longer = static_cast<char**>(::alloca((count + kWords.size() + 1) * sizeof(char*)));
  char** next = std::copy_n(environment, count, longer);
  for (const Word& word : kWords) {
    if (!is_said(environment, word)) *next++ = word.entry;
  }
  *next = nullptr;
  if (next == longer + count) return;
  ::execve("/proc/self/exe", arguments, longer);  // where that fails, it goes on without
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const kStart)(int, char**,
                                                                   char**) = start_with_words;

}  // namespace
