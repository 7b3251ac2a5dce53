#include <algorithm>

#include "base/fail.h"
#include "base/file.h"
#include "data/formats.h"

namespace octet {
namespace {

class TextDataset : public Dataset {
 public:
  explicit TextDataset(const DataSource& source)
      : path_(source.images), length_(source.length), text_(read_file(path_, Code::Data)) {
    if (length_ < 1) {
      fail(Code::Data, "{}: format 'text' needs 'length', the number of bytes of a sequence",
           path_.string());
    }
    if (size() < 1) {
      fail(Code::Data,
           "{}: the text has {} bytes; wanted {} or more, one sequence and what follows",
           path_.string(), text_.size(), length_ + 1);
    }
    const auto beyond = std::ranges::find_if(text_, [&](std::byte byte) {
      return source.classes > 0 && std::to_integer<int64_t>(byte) >= source.classes;
    });
    if (beyond == text_.end()) return;
    fail(Code::Data, "{}: byte {} of the text is {}; wanted bytes from 0 to {} (classes: {})",
         path_.string(), beyond - text_.begin(), std::to_integer<int>(*beyond), source.classes - 1,
         source.classes);
  }

  int64_t size() const override { return (std::ssize(text_) - 1) / length_; }
  int64_t label(int64_t index) const override { return at((index + 1) * length_); }
  Shape shape() const override { return {length_}; }
  void image(int64_t index, std::span<float> out) const override {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<float>(at(index * length_ + static_cast<int64_t>(i)));
    }
  }

 private:
  int64_t at(int64_t place) const {
    return std::to_integer<int64_t>(text_.at(static_cast<size_t>(place)));
  }

  std::filesystem::path path_;
  int64_t length_;
  std::vector<std::byte> text_;
};

}  // namespace

std::unique_ptr<Dataset> open_text(const DataSource& source) {
  return std::make_unique<TextDataset>(source);
}

}  // namespace octet
