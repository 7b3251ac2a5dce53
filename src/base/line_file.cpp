#include "base/line_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/fail.h"
#include "base/file.h"

namespace octet {

LineFile::LineFile(std::filesystem::path path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) refuse("write");
  try {
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) refuse("lock");
      fail(Code::Io, "{}: another process is writing it; wait for it, or take another folder",
           path_.string());
    }
    read_lines();
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

LineFile::~LineFile() { ::close(fd_); }

void LineFile::refuse(std::string_view doing) const {
  fail(Code::Io, "cannot {} {}: {}", doing, path_.string(), std::strerror(errno));
}

void LineFile::read_lines() {
  const auto bytes = read_file(path_, Code::Io);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  size_t whole = 0;
  for (size_t end; (end = text.find('\n', whole)) != std::string_view::npos; whole = end + 1) {
    lines_.emplace_back(text.substr(whole, end - whole));
  }
  if (whole < text.size() && ::ftruncate(fd_, static_cast<off_t>(whole)) != 0) refuse("write");
}

void LineFile::add(std::string_view line) {
  std::string whole(line);
  whole += '\n';
  for (size_t at = 0; at < whole.size();) {
    const ssize_t written = ::write(fd_, whole.data() + at, whole.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) refuse("write");
    at += static_cast<size_t>(written);
  }
  if (::fsync(fd_) != 0) refuse("write");
}

}  // namespace octet
