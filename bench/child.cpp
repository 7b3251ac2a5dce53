#include "child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>

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

/// Ends that other programs do not inherit.
struct Pipe {
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(Code::Runtime, "no pipe can be made");
    out = ends[0];
    in = ends[1];
  }
  int out = -1;  ///< from which to read
  int in = -1;
};

/// 0 where it could not be started. An input of -1: ours.
pid_t start_program(std::vector<std::string>& words, int input, int output,
                    const std::filesystem::path& log) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  if (input >= 0) posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0644);
  pid_t child = 0;
  const int failed =
      ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? child : 0;
}

}  // namespace

ChildUse run_child(std::vector<std::string> words, const std::filesystem::path& log) {
  const Pipe output;
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = start_program(words, -1, output.in, log);
  ::close(output.in);
  ChildUse use{.output = read_to_end(output.out)};
  int status = 0;
  rusage used{};
  if (child != 0) ::wait4(child, &status, 0, &used);
  if (child == 0 || status != 0) {
    fail(Code::Runtime, "{} {} failed; see {}", words[0], words.size() > 1 ? words[1] : "",
         log.string());
  }
  use.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  use.peak_mib = static_cast<double>(used.ru_maxrss) / 1024;
  return use;
}

double own_peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  fail(Code::Runtime, "/proc/self/status says nothing of the resident set");
}

Conversation::Conversation(std::vector<std::string> words, std::filesystem::path log)
    : log_(std::move(log)) {
  const Pipe input;
  const Pipe output;
  child_ = start_program(words, input.out, output.in, log_);
  std::signal(SIGPIPE, SIG_IGN);  // a program that has ended is told by its missing answer
  ::close(input.out);
  ::close(output.in);
  to_ = ::fdopen(input.in, "w");
  from_ = ::fdopen(output.out, "r");
}

Conversation::~Conversation() {
  std::fclose(to_);  // the end of its commands
  std::fclose(from_);
  if (child_ != 0) ::waitpid(child_, nullptr, 0);
}

nlohmann::json Conversation::ask(const std::string& command) {
  std::fputs((command + "\n").c_str(), to_);
  std::fflush(to_);
  std::string answer;
  for (int c = 0; (c = std::fgetc(from_)) != EOF && c != '\n';) answer += static_cast<char>(c);
  if (!nlohmann::json::accept(answer)) {
    fail(Code::Runtime, "no answer to '{}'; see {}", command, log_.string());
  }
  return nlohmann::json::parse(answer);
}

}  // namespace octet::bench
