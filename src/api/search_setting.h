#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/search_journal.h"
#include "api/stages.h"
#include "octet/octet.h"

namespace octet {

/// "30s", "10m", "2h" in seconds; absent where nothing is said. Throws Code::Usage.
std::optional<double> search_seconds(const std::string& time);

/// Throws Code::Usage for options without a meaning, unknown observers and methods.
void check_search(const SearchOptions& options);

/// Those to try: what is said, else the default one first, then all others.
std::vector<std::string> searched_observers(const SearchOptions& options);

/// What decides the trials of a search over a data set of `images` training images. The time, the
/// drop, the cost, observers and methods decide which trials are made, not what they measure.
SearchIdentity search_identity(const std::filesystem::path& model,
                               const std::filesystem::path& data, const SearchOptions& options,
                               int64_t images);

struct SearchImages {
  DataSource source;
  std::unique_ptr<Dataset> dataset;
  Split parts;
  std::unique_ptr<Dataset> held;  ///< to score on: a part of the images that are held back
};

/// Throws Code::Data where no training images are held back.
SearchImages open_search_images(const std::filesystem::path& data, const SearchOptions& options);

}  // namespace octet
