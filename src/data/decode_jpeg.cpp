// clang-format off: jpeglib.h needs cstdio before it, and jerror.h needs jpeglib.h
#include <csetjmp>
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "base/fail.h"
#include "data/decode.h"

namespace octet {
namespace {

/// libjpeg leaves by longjmp. Each method that calls it sets the mark anew and holds nothing with
/// a destructor, so that nothing is skipped; what must be freed belongs to the object.
class JpegReader {
 public:
  explicit JpegReader(std::span<const std::byte> bytes) : bytes_(bytes) {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) {
      self(info).keep_message();
      std::longjmp(self(info).mark_, 1);
    };
    errors_.emit_message = [](j_common_ptr info, int level) {
      const int code = info->err->msg_code;
      const bool cut = code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER;
      if (level < 0 && cut) info->err->error_exit(info);  // libjpeg would fill in with grey
    };
    errors_.output_message = [](j_common_ptr) {};
  }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  /// Reads the header; false: see message().
  bool header() {
    if (setjmp(mark_) != 0) return false;
    jpeg_create_decompress(&info_);
    info_.client_data = this;
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  /// Reads all rows; `out` has height * width * channels bytes.
  bool rows(uint8_t* out) {
    if (setjmp(mark_) != 0) return false;
    info_.out_color_space = channels() == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = out + static_cast<size_t>(info_.output_scanline) * info_.image_width *
                               static_cast<size_t>(channels());
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  bool cmyk() const {
    return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
  }
  int64_t height() const { return info_.image_height; }
  int64_t width() const { return info_.image_width; }
  int64_t channels() const { return info_.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3; }
  const char* message() const { return message_; }

 private:
  static JpegReader& self(j_common_ptr info) {
    return *static_cast<JpegReader*>(info->client_data);
  }
  void keep_message() { errors_.format_message(reinterpret_cast<j_common_ptr>(&info_), message_); }

  std::span<const std::byte> bytes_;
  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf mark_{};
  char message_[JMSG_LENGTH_MAX] = "";
};

}  // namespace

Pixels decode_jpeg(std::span<const std::byte> bytes, const std::string& name) {
  JpegReader reader(bytes);
  const auto check = [&](bool ok) {
    if (!ok) fail(Code::Data, "{}: the JPEG image cannot be read: {}", name, reader.message());
  };
  check(reader.header());
  if (reader.cmyk()) {
    fail(Code::Data, "{}: the JPEG image is CMYK; wanted RGB or grey: convert it", name);
  }
  check_size(reader.height(), reader.width(), name);
  Pixels pixels{reader.height(), reader.width(), reader.channels(), {}};
  pixels.bytes.resize(static_cast<size_t>(pixels.height * pixels.width * pixels.channels));
  check(reader.rows(pixels.bytes.data()));
  return pixels;
}

}  // namespace octet
