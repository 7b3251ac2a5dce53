#include "base/child_process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>

#include "base/fail.h"

namespace octet {
namespace {

/// What comes back begins with one byte: a result, or the code of an Error and its message.
constexpr std::byte kResult{0};
constexpr std::byte kError{1};

void send(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::write(fd, bytes.data(), bytes.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) ::_exit(1);  // nobody listens any more
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
}

void send_error(int fd, Code code, const char* message) {
  const std::array head{kError, static_cast<std::byte>(code)};
  send(fd, head);
  send(fd, std::as_bytes(std::span(message, std::strlen(message))));
}

[[noreturn]] void work_and_exit(int fd, const std::function<std::vector<std::byte>()>& work) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  try {
    const std::vector<std::byte> result = work();
    send(fd, {&kResult, 1});
    send(fd, result);
  } catch (const Error& error) {
    send_error(fd, error.code(), error.what());
  } catch (const std::exception& error) {
    send_error(fd, Code::Runtime, error.what());
  }
  ::_exit(0);
}

/// All that comes until the other end is closed.
std::vector<std::byte> receive(int fd) {
  std::vector<std::byte> received;
  size_t held = 0;
  while (true) {
    if (received.size() < held + 65536) received.resize(2 * held + 65536);
    const ssize_t got = ::read(fd, received.data() + held, received.size() - held);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    held += static_cast<size_t>(got);
  }
  received.resize(held);
  return received;
}

std::string ending(int state) {
  if (!WIFSIGNALED(state)) return "without a result";
  const int signal = WTERMSIG(state);
  return std::format("by signal {} ({})", signal, ::strsignal(signal));
}

}  // namespace

std::vector<std::byte> in_child(const std::string& doing,
                                const std::function<std::vector<std::byte>()>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(Code::Io, "no pipe: {}", std::strerror(errno));
  const pid_t child = ::fork();
  if (child == 0) work_and_exit(ends[1], work);
  ::close(ends[1]);
  const int reason = errno;
  std::vector<std::byte> received = child < 0 ? std::vector<std::byte>{} : receive(ends[0]);
  ::close(ends[0]);
  if (child < 0) fail(Code::Io, "no child process: {}", std::strerror(reason));
  int state = 0;
  while (::waitpid(child, &state, 0) < 0 && errno == EINTR) continue;
  const bool ended = WIFEXITED(state) && WEXITSTATUS(state) == 0 && !received.empty();
  if (!ended) fail(Code::Runtime, "{} ended {}", doing, ending(state));
  if (received[0] == kError && received.size() > 1) {
    const auto* text = reinterpret_cast<const char*>(received.data());
    throw Error(static_cast<Code>(received[1]), std::string(text + 2, received.size() - 2));
  }
  received.erase(received.begin());
  return received;
}

}  // namespace octet
