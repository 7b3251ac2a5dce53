#include "base/fail.h"
#include "base/text.h"
#include "data/formats.h"
#include "data/idx_file.h"
#include "data/pixels.h"

namespace octet {
namespace {

/// Channels, height, width of the images in the file.
Shape stored_shape(const IdxFile& images) {
  const Shape& shape = images.shape();
  if (shape.size() != 3 && shape.size() != 4) {
    fail(Code::Data,
         "{}: the IDX file has {} dimensions ({}); wanted images: 3 (number, height, "
         "width) or 4 (and channels)",
         images.path().string(), shape.size(), shape_text(shape));
  }
  if (element_count(shape) == 0) {
    fail(Code::Data, "{}: the data set is empty ({})", images.path().string(), shape_text(shape));
  }
  return {shape.size() == 4 ? shape[3] : 1, shape[1], shape[2]};
}

Shape wanted_shape(const DataSource& source, const Shape& stored) {
  return {stored[0], source.height > 0 ? source.height : stored[1],
          source.width > 0 ? source.width : stored[2]};
}

std::vector<uint8_t> read_labels(const DataSource& source, const IdxFile& images) {
  if (source.labels.empty()) {
    fail(Code::Data, "{}: format 'idx' needs 'labels', the path of the label file",
         source.images.string());
  }
  const IdxFile file(source.labels);
  const Shape& shape = file.shape();
  if (shape.size() != 1) {
    fail(Code::Data, "{}: the IDX file has {} dimensions ({}); wanted labels: 1",
         file.path().string(), shape.size(), shape_text(shape));
  }
  if (shape[0] != images.shape()[0]) {
    fail(Code::Data, "{} has {} labels, but {} has {} images; they must belong together",
         file.path().string(), shape[0], images.path().string(), images.shape()[0]);
  }
  std::vector<uint8_t> labels;
  const auto read = file.read(0, shape[0], labels);
  return {read.begin(), read.end()};
}

void check_labels(const DataSource& source, std::span<const uint8_t> labels) {
  if (source.classes <= 0) return;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < source.classes) continue;
    fail(Code::Data, "{}: image {} has the label {}; wanted labels from 0 to {} (classes: {})",
         source.labels.string(), i, labels[i], source.classes - 1, source.classes);
  }
}

class IdxDataset : public Dataset {
 public:
  explicit IdxDataset(const DataSource& source)
      : images_(source.images),
        stored_(stored_shape(images_)),
        labels_(read_labels(source, images_)),
        preprocess_(source, wanted_shape(source, stored_)) {
    check_labels(source, labels_);
  }

  int64_t size() const override { return static_cast<int64_t>(labels_.size()); }
  int64_t label(int64_t index) const override { return labels_.at(static_cast<size_t>(index)); }
  Shape shape() const override { return preprocess_.shape(); }
  std::string name(int64_t index) const override {
    return images_.path().string() + ": image " + std::to_string(index);
  }
  float black(int64_t channel) const override { return preprocess_.black(channel); }
  void image(int64_t index, std::span<float> out) const override {
    std::vector<uint8_t> buffer;
    const int64_t length = element_count(stored_);
    const auto bytes = images_.read(index * length, length, buffer);
    preprocess_.write({stored_[1], stored_[2], stored_[0], bytes}, out);
  }

 private:
  IdxFile images_;
  Shape stored_;
  std::vector<uint8_t> labels_;
  Preprocess preprocess_;
};

}  // namespace

std::unique_ptr<Dataset> open_idx(const DataSource& source) {
  return std::make_unique<IdxDataset>(source);
}

}  // namespace octet
