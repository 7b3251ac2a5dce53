#include <algorithm>
#include <array>
#include <functional>
#include <system_error>

#include "base/fail.h"
#include "data/decode.h"
#include "data/formats.h"
#include "data/pixels.h"

namespace octet {
namespace {

namespace fs = std::filesystem;

bool is_image(const fs::path& path) {
  std::string end = path.extension().string();
  std::ranges::transform(end, end.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return std::ranges::contains(std::array{".jpg", ".jpeg", ".png"}, end);
}

/// Names in `folder` that pass `wanted`, in byte order.
std::vector<std::string> names_in(const fs::path& folder,
                                  const std::function<bool(const fs::directory_entry&)>& wanted) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!name.starts_with('.') && wanted(*it)) names.push_back(std::move(name));
  }
  if (error) fail(Code::Data, "cannot read the folder {}: {}", folder.string(), error.message());
  std::ranges::sort(names);
  return names;
}

class ImageFolder : public Dataset {
 public:
  explicit ImageFolder(const DataSource& source)
      : root_(source.images), preprocess_(source, list_and_measure(source)) {}

  int64_t size() const override { return static_cast<int64_t>(entries_.size()); }
  int64_t label(int64_t index) const override { return entry(index).label; }
  Shape shape() const override { return preprocess_.shape(); }
  std::string name(int64_t index) const override { return path_of(index).string(); }
  float black(int64_t channel) const override { return preprocess_.black(channel); }
  void image(int64_t index, std::span<float> out) const override {
    const Pixels pixels = with_channels(decode_image(path_of(index)), shape()[0]);
    if (!resizes_ && (pixels.height != shape()[1] || pixels.width != shape()[2])) {
      fail(Code::Data,
           "{} has {}x{} pixels, but {} has {}x{}; give 'size' (HEIGHTxWIDTH) to resize "
           "all images",
           path_of(index).string(), pixels.height, pixels.width, path_of(0).string(), shape()[1],
           shape()[2]);
    }
    preprocess_.write(pixels.view(), out);
  }

 private:
  struct Entry {
    std::string name;
    int64_t label;
  };

  const Entry& entry(int64_t index) const { return entries_.at(static_cast<size_t>(index)); }
  fs::path path_of(int64_t index) const {
    return root_ / classes_[static_cast<size_t>(entry(index).label)] / entry(index).name;
  }

  /// Fills the lists and returns the shape of what is delivered.
  Shape list_and_measure(const DataSource& source) {
    list(source);
    if (source.channels != 1 && source.channels != 3) {
      fail(Code::Data, "{}: 'channels' is {}; wanted 3 (RGB) or 1 (grey)", root_.string(),
           source.channels);
    }
    resizes_ = source.height > 0 && source.width > 0;
    if (resizes_) return {source.channels, source.height, source.width};
    const Pixels first = decode_image(path_of(0));
    return {source.channels, first.height, first.width};
  }

  void list(const DataSource& source) {
    if (!source.labels.empty()) {
      fail(Code::Data, "{}: format 'folder' takes no 'labels' (given: {}): its classes are folders",
           root_.string(), source.labels.string());
    }
    classes_ = names_in(root_, [](const auto& it) { return it.is_directory(); });
    if (source.classes > 0 && static_cast<int64_t>(classes_.size()) != source.classes) {
      fail(Code::Data, "{} holds {} folders; wanted one for each of the {} classes", root_.string(),
           classes_.size(), source.classes);
    }
    for (size_t label = 0; label < classes_.size(); ++label) {
      for (std::string& name :
           names_in(root_ / classes_[label], [](const auto& it) { return is_image(it.path()); })) {
        entries_.push_back({std::move(name), static_cast<int64_t>(label)});
      }
    }
    if (entries_.empty()) {
      fail(Code::Data,
           "{}: the data set is empty; wanted .jpg, .jpeg or .png files in one folder "
           "per class",
           root_.string());
    }
  }

  fs::path root_;
  std::vector<std::string> classes_;
  std::vector<Entry> entries_;
  bool resizes_ = false;
  Preprocess preprocess_;  // last: it needs the lists
};

}  // namespace

std::unique_ptr<Dataset> open_image_folder(const DataSource& source) {
  return std::make_unique<ImageFolder>(source);
}

}  // namespace octet
