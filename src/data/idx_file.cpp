#include "data/idx_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

/// Reads up to `count` bytes into `out` and returns how many there were.
using Source = std::function<size_t(uint8_t* out, size_t count)>;

constexpr uint8_t kUnsignedByte = 0x08;
/// No gzip file unpacks to more than 1032 times its size.
constexpr int64_t kLargestRatio = 1032;

[[noreturn]] void fail_short(const std::filesystem::path& path, const Shape& shape) {
  fail(Code::Data,
       "{}: the file is truncated: it holds less than the {} bytes that its header "
       "promises; fetch it again",
       path.string(), shape_text(shape));
}

[[noreturn]] void fail_long(const std::filesystem::path& path, const Shape& shape) {
  fail(Code::Data, "{}: the file holds more than the {} bytes that its header promises",
       path.string(), shape_text(shape));
}

Shape read_header(const std::filesystem::path& path, const Source& source) {
  std::array<uint8_t, 4> magic{};
  if (source(magic.data(), 4) != 4 || magic[0] != 0 || magic[1] != 0 || magic[3] == 0) {
    fail(Code::Data,
         "{}: this is not an IDX file (plain or gzipped): its first bytes are not those "
         "of one",
         path.string());
  }
  if (magic[2] != kUnsignedByte) {
    fail(Code::Data, "{}: the IDX elements are of type 0x{:02x}; wanted 0x08 (unsigned bytes)",
         path.string(), magic[2]);
  }
  Shape shape;
  int64_t product = 1;
  for (int i = 0; i < magic[3]; ++i) {
    std::array<uint8_t, 4> raw{};
    if (source(raw.data(), 4) != 4) {
      fail(Code::Data, "{}: the file is truncated: it ends in its header; fetch it again",
           path.string());
    }
    shape.push_back(int64_t{raw[0]} << 24 | raw[1] << 16 | raw[2] << 8 | raw[3]);
    if (__builtin_mul_overflow(product, shape.back(), &product)) fail_short(path, shape);
  }
  return shape;
}

/// Reads until `count` bytes are there or the file ends.
size_t pread_all(int file, uint8_t* out, size_t count, int64_t offset) {
  size_t have = 0;
  while (have < count) {
    const ssize_t got = ::pread(file, out + have, count - have,
                                static_cast<off_t>(offset + static_cast<int64_t>(have)));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  return have;
}

struct GzipCloser {
  void operator()(gzFile file) const { ::gzclose(file); }
};
using Gzip = std::unique_ptr<gzFile_s, GzipCloser>;

size_t gzip_all(const std::filesystem::path& path, gzFile file, uint8_t* out, size_t count) {
  constexpr size_t kPiece = size_t{1} << 30;
  size_t have = 0;
  while (have < count) {
    const auto piece = static_cast<unsigned>(std::min(count - have, kPiece));
    const int got = ::gzread(file, out + have, piece);
    if (got < 0) fail(Code::Data, "{}: the gzip data are damaged; fetch it again", path.string());
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  return have;
}

}  // namespace

IdxFile::IdxFile(const std::filesystem::path& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat info{};
  if (file_ < 0 || ::fstat(file_, &info) != 0) {
    fail(Code::Data, "cannot read {}: {}", path.string(), std::strerror(errno));
  }
  try {
    if (!S_ISREG(info.st_mode)) fail(Code::Data, "cannot read {}: not a file", path.string());
    std::array<uint8_t, 2> first{};
    const bool gzip =
        pread_all(file_, first.data(), 2, 0) == 2 && first[0] == 0x1f && first[1] == 0x8b;
    gzip ? open_gzip(info.st_size) : open_plain();
    if (gzip) return;
    const int64_t wanted = start_ + element_count(shape_);
    if (info.st_size < wanted) fail_short(path_, shape_);
    if (info.st_size > wanted) fail_long(path_, shape_);
  } catch (...) {
    ::close(file_);
    throw;
  }
}

IdxFile::~IdxFile() { ::close(file_); }

void IdxFile::open_plain() {
  shape_ = read_header(path_, [&](uint8_t* out, size_t count) {
    const size_t got = pread_all(file_, out, count, start_);
    start_ += static_cast<int64_t>(got);
    return got;
  });
}

void IdxFile::open_gzip(int64_t file_size) {
  const Gzip gzip(::gzopen(path_.c_str(), "rb"));
  if (!gzip) fail(Code::Data, "cannot read {}: {}", path_.string(), std::strerror(errno));
  ::gzbuffer(gzip.get(), 1 << 17);
  const Source source = [&](uint8_t* out, size_t count) {
    return gzip_all(path_, gzip.get(), out, count);
  };
  shape_ = read_header(path_, source);
  const int64_t wanted = element_count(shape_);
  if (wanted / kLargestRatio > file_size) fail_short(path_, shape_);
  memory_.resize(static_cast<size_t>(wanted));
  if (source(memory_.data(), memory_.size()) != memory_.size()) fail_short(path_, shape_);
  uint8_t more = 0;  // reading past the end also checks the file's sum
  if (source(&more, 1) != 0) fail_long(path_, shape_);
}

std::span<const uint8_t> IdxFile::read(int64_t first, int64_t count,
                                       std::vector<uint8_t>& buffer) const {
  if (start_ == 0) {
    return std::span(memory_).subspan(static_cast<size_t>(first), static_cast<size_t>(count));
  }
  buffer.resize(static_cast<size_t>(count));
  if (pread_all(file_, buffer.data(), buffer.size(), start_ + first) != buffer.size()) {
    fail(Code::Data, "cannot read {}: bytes {} to {} are no longer there", path_.string(),
         start_ + first, start_ + first + count - 1);
  }
  return buffer;
}

}  // namespace octet
