#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace octet {

/// Does `work` in a child process, so that it may abort or crash without taking this process with
/// it, and returns what it returned. An Error that it throws is thrown here. Throws Code::Runtime,
/// "DOING ended by signal 6 (Aborted)", when the child ends without a result. What it prints is
/// lost.
///
/// The child is a fork of a process with threads: locks that other threads held stay locked in it.
/// So `work` may only use what no other thread uses at that time; malloc is safe in glibc's fork.
/// It ends by _exit: no destructor of this process runs twice.
std::vector<std::byte> in_child(const std::string& doing,
                                const std::function<std::vector<std::byte>()>& work);

}  // namespace octet
