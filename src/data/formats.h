#pragma once

#include <memory>

#include "data/dataset.h"

namespace octet {

/// A pair of IDX files (the format of MNIST): images [n, h, w] or [n, h, w, c] and labels [n], all
/// unsigned bytes, plain or gzipped.
std::unique_ptr<Dataset> open_idx(const DataSource& source);

/// A folder with one folder of .jpg, .jpeg and .png files per class; the classes are numbered in
/// the byte order of their names. Other files, and names that begin with a dot, are passed over.
std::unique_ptr<Dataset> open_image_folder(const DataSource& source);

/// A text, cut into sequences of `length` bytes, each a token. A sequence's label is the byte that
/// follows it: the first of the next one.
std::unique_ptr<Dataset> open_text(const DataSource& source);

}  // namespace octet
