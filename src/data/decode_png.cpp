#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "base/fail.h"
#include "data/decode.h"

namespace octet {
namespace {

/// libpng leaves by longjmp. Each method that calls it sets the mark anew and holds nothing with a
/// destructor, so that nothing is skipped; what must be freed belongs to the object.
class PngReader {
 public:
  explicit PngReader(std::span<const std::byte> bytes) : rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, &failed, [](png_structp, auto) {});
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  /// Reads the header and asks for 8 bits of grey or RGB; false: see message().
  bool header() {
    if (setjmp(mark_) != 0) return false;
    png_set_read_fn(png_, this, &read);
    png_read_info(png_, info_);
    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  bool rows(png_bytepp rows) {
    if (setjmp(mark_) != 0) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  int64_t height() const { return png_get_image_height(png_, info_); }
  int64_t width() const { return png_get_image_width(png_, info_); }
  int64_t channels() const { return png_get_channels(png_, info_); }
  const char* message() const { return message_; }

 private:
  [[noreturn]] static void failed(png_structp png, png_const_charp message) {
    auto* self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(self->message_, sizeof self->message_, "%s", message);
    std::longjmp(self->mark_, 1);
  }
  static void read(png_structp png, png_bytep out, size_t count) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > self->rest_.size()) png_error(png, "the file is truncated");
    std::memcpy(out, self->rest_.data(), count);
    self->rest_ = self->rest_.subspan(count);
  }

  std::span<const std::byte> rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf mark_{};
  char message_[200] = "";
};

}  // namespace

Pixels decode_png(std::span<const std::byte> bytes, const std::string& name) {
  PngReader reader(bytes);
  const auto check = [&](bool ok) {
    if (!ok) fail(Code::Data, "{}: the PNG image cannot be read: {}", name, reader.message());
  };
  check(reader.header());
  check_size(reader.height(), reader.width(), name);
  Pixels pixels{reader.height(), reader.width(), reader.channels(), {}};
  const auto stride = static_cast<size_t>(pixels.width * pixels.channels);
  pixels.bytes.resize(static_cast<size_t>(pixels.height) * stride);
  std::vector<png_bytep> rows;
  for (int64_t y = 0; y < pixels.height; ++y) {
    rows.push_back(pixels.bytes.data() + static_cast<size_t>(y) * stride);
  }
  check(reader.rows(rows.data()));
  return pixels;
}

}  // namespace octet
