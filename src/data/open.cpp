#include <array>

#include "base/fail.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/formats.h"

namespace octet {
namespace {

struct Format {
  const char* name;
  std::unique_ptr<Dataset> (*open)(const DataSource&);
};

/// A new format is one line here.
constexpr std::array kFormats = {
    Format{"idx", open_idx},
    Format{"folder", open_image_folder},
    Format{"text", open_text},
};

}  // namespace

std::vector<std::string> data_formats() {
  std::vector<std::string> names;
  for (const Format& format : kFormats) names.emplace_back(format.name);
  return names;
}

std::unique_ptr<Dataset> open_dataset(const DataSource& source) {
  for (const Format& format : kFormats) {
    if (source.format == format.name) return format.open(source);
  }
  fail(Code::Data, "{}: unknown data format '{}'; known are {}", source.images.string(),
       source.format, join(data_formats()));
}

}  // namespace octet
