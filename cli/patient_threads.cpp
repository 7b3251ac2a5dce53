// OpenMP's threads, which LibTorch computes with, wait for one another and for the next work by
// spinning: libgomp's default is 15 ms on processors of these years. Where anything else runs,
// threads then spin on the cores that those they wait for should have, and work takes ten times as
// long. Here they spin for 50 microseconds, which bridges the gaps between operators, and then
// sleep.
//
// libgomp reads its environment once, when it is loaded. So this has to come before: functions in
// this section are called after the C library's own start and before that of any other library
// (System V ABI, "Initialization and Termination Functions").

#include <cstdlib>

namespace {

void set_patience(int /*count*/, char** /*arguments*/, char** /*environment*/) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;  // the user's word counts
  ::setenv("GOMP_SPINCOUNT", "1000", /*replace=*/0);
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const kSetPatience)(int, char**,
                                                                         char**) = set_patience;

}  // namespace
