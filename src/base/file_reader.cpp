#include "base/file_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/fail.h"

namespace octet {

FileReader::FileReader(std::filesystem::path path, Code missing)
    // A pipe that nobody writes to must not keep us waiting.
    : path_(std::move(path)), fd_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (fd_ < 0) {
    fail(errno == ENOENT || errno == ENOTDIR ? missing : Code::Io, "cannot read {}: {}",
         path_.string(), std::strerror(errno));
  }
  struct stat info{};
  if (::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd_);
    fail(missing, "cannot read {}: it is not a file", path_.string());
  }
  size_ = static_cast<uint64_t>(info.st_size);
}

FileReader::~FileReader() { ::close(fd_); }

size_t FileReader::read(uint64_t offset, std::span<std::byte> out) const {
  size_t have = 0;
  while (have < out.size()) {
    const ssize_t got =
        ::pread(fd_, out.data() + have, out.size() - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(Code::Io, "cannot read {}: {}", path_.string(), std::strerror(errno));
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  return have;
}

}  // namespace octet
