#include "child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "base/fail.h"

namespace octet::bench {
namespace {

std::string read_to_end(int file) {
  std::string text;
  std::array<char, 4096> part;
  for (ssize_t got; (got = ::read(file, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<size_t>(got));
  }
  ::close(file);
  return text;
}

}  // namespace

ChildUse run_child(std::vector<std::string> words, const std::filesystem::path& log) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> pipe{-1, -1};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) fail(Code::Runtime, "no pipe can be made");
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int failed =
      ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  ChildUse use{.output = read_to_end(pipe[0])};
  int status = 0;
  rusage used{};
  if (failed == 0) ::wait4(child, &status, 0, &used);
  if (failed != 0 || status != 0) {
    fail(Code::Runtime, "{} {} failed; see {}", words[0], words.size() > 1 ? words[1] : "",
         log.string());
  }
  use.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  use.peak_mib = static_cast<double>(used.ru_maxrss) / 1024;
  return use;
}

}  // namespace octet::bench
