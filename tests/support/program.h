#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/paths.h"
#include "support/temp_folder.h"

namespace octet::test {

/// A child process with its output in files. It ends with the object at the latest.
class Program {
 public:
  /// What a process left behind. `status` is 128 + N after the signal N, as shells have it.
  struct Ended {
    int status = 0;
    std::string out;
    std::string err;
  };

  explicit Program(std::vector<std::string> command) {
    std::vector<char*> pointers;
    for (std::string& word : command) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    const auto redirect = [&](int fd, const std::filesystem::path& path, int flags) {
      ::posix_spawn_file_actions_addopen(&files, fd, path.c_str(), flags, 0600);
    };
    redirect(STDIN_FILENO, "/dev/null", O_RDONLY);
    redirect(STDOUT_FILENO, folder_ / "out", O_WRONLY | O_CREAT);
    redirect(STDERR_FILENO, folder_ / "err", O_WRONLY | O_CREAT);
    const int failed =
        ::posix_spawnp(&pid_, pointers[0], &files, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    if (failed != 0) throw std::runtime_error("cannot start " + command[0]);
  }
  ~Program() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void send(int signal) const { ::kill(pid_, signal); }

  bool ended() const {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == pid_;
  }

  /// Waits until stderr holds `text`; false when the process ends, or a minute passes, before.
  bool wait_for_error_text(const std::string& text) const {
    using namespace std::chrono_literals;
    for (int i = 0; i < 1200; ++i, std::this_thread::sleep_for(50ms)) {
      if (contents(folder_ / "err").contains(text)) return true;
      if (ended()) return false;
    }
    return false;
  }

  Ended wait() {
    int state = 0;
    while (::waitpid(pid_, &state, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
    const int status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return {status, contents(folder_ / "out"), contents(folder_ / "err")};
  }

 private:
  static std::string contents(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  TempFolder folder_;
  pid_t pid_ = -1;
};

/// Runs octet itself to its end.
inline Program::Ended run_octet(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), kProgram);
  return Program(std::move(arguments)).wait();
}

}  // namespace octet::test
