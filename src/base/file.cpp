#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/fail.h"
#include "base/file_reader.h"

namespace octet {
namespace {

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return ::close(fd) == 0;
  }

 private:
  int fd_;
};

bool write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& path, Code missing) {
  const FileReader file(path, missing);
  std::vector<std::byte> bytes(file.size());
  bytes.resize(file.read(0, bytes));
  return bytes;
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::string beside = path.string() + ".partial-XXXXXX";
  Descriptor file(::mkostemp(beside.data(), O_CLOEXEC));
  if (file.get() < 0) {
    fail(Code::Io, "cannot write {}: {}", path.string(), std::strerror(errno));
  }
  bool ok =
      write_all(file.get(), bytes) && ::fchmod(file.get(), 0644) == 0 && ::fsync(file.get()) == 0;
  ok = ok && file.close() && ::rename(beside.c_str(), path.c_str()) == 0;
  if (!ok) {
    const int reason = errno;
    ::unlink(beside.c_str());
    fail(Code::Io, "cannot write {} ({} bytes): {}", path.string(), bytes.size(),
         std::strerror(reason));
  }
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::as_bytes(std::span(text)));
}

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || !std::filesystem::is_directory(path)) {
    fail(Code::Io, "cannot make the folder {}: {}", path.string(),
         error ? error.message() : "it is a file");
  }
}

}  // namespace octet
