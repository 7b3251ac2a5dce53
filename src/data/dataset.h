#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/tensor.h"

namespace octet {

/// Labelled images, decoded one at a time: nothing grows with their number but the list of labels
/// (and of file names). The exceptions are a gzipped IDX file, which is unpacked into memory
/// when it is opened (unpack it beforehand where that is too much), and a text. All methods may be
/// called from several threads at once.
/// A text is sequences of tokens instead: whole numbers, given as floats.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual int64_t label(int64_t index) const = 0;
  /// Channels, height, width of every image; of a text the length of every sequence.
  virtual Shape shape() const = 0;
  /// Writes image `index` as CHW floats, preprocessed (value/255, then minus mean, divided by
  /// deviation per channel). `out` has element_count(shape()) elements. Throws Code::Data naming
  /// the image that cannot be read.
  virtual void image(int64_t index, std::span<float> out) const = 0;
  /// What a black pixel of this channel becomes: the fill of shifted images.
  virtual float black(int64_t /*channel*/) const { return 0; }
  /// How messages call image `index`: its path, or its place in a file.
  virtual std::string name(int64_t index) const { return "image " + std::to_string(index); }
};

/// Where images come from and how they enter the network.
struct DataSource {
  std::string format;  ///< "idx", "folder" or "text"
  /// idx: the image file (may be .gz); folder: the root folder; text: the text
  std::filesystem::path images;
  std::filesystem::path labels;  ///< idx: the label file (may be .gz)
  int64_t classes = 0;           ///< labels must be below; 0: not checked (idx) or counted (folder)
  std::vector<float> mean;       ///< per channel, after value/255; empty: 0
  std::vector<float> deviation;  ///< per channel; empty: 1
  int64_t height = 0;            ///< images are resized (bilinear) to this; 0: all must be alike
  int64_t width = 0;
  int64_t channels = 3;  ///< folder: 3 (RGB) or 1 (grey); idx: as in the file
  int64_t length = 0;    ///< text: bytes of a sequence, 1 or more
};

/// The known values of `DataSource::format`.
std::vector<std::string> data_formats();

/// Opens and checks a source: existing files, at least one image, labels below `classes`. Throws
/// Code::Data (contents) with the path in the message.
std::unique_ptr<Dataset> open_dataset(const DataSource& source);

/// The images with these indices of another data set, which must outlive it. Throws Code::Usage
/// for an index it does not have.
std::unique_ptr<Dataset> subset(const Dataset& dataset, std::vector<int64_t> indices);

/// The same with labels of its own, as many as indices; those of the data set are not read.
std::unique_ptr<Dataset> relabelled(const Dataset& dataset, std::vector<int64_t> indices,
                                    std::vector<int64_t> labels);

/// A seeded permutation of 0..count-1: the same on every machine.
std::vector<int64_t> permutation(int64_t count, uint64_t seed);

}  // namespace octet
