#include "api/bad_images.h"

#include <algorithm>

#include "base/fail.h"

namespace octet {

bool skips_bad_images(const std::string& word) {
  if (word == "skip" || word == "fail") return word == "skip";
  fail(Code::Usage, "'{}' is no choice of bad images; wanted fail or skip", word);
}

std::vector<std::string> notes_on_skipped(const Calibration& seen) {
  std::vector<std::string> notes;
  for (const std::string& reason : seen.skip_reasons) {
    notes.push_back(std::format("an image was left out of the calibration: {}", reason));
  }
  const size_t more = seen.skipped.size() - seen.skip_reasons.size();
  if (more > 0) {
    notes.push_back(std::format("{} more images were left out of the calibration, of {}", more,
                                seen.images + std::ssize(seen.skipped)));
  }
  return notes;
}

Split without_skipped(const Split& split, const Calibration& seen) {
  if (seen.skipped.empty()) return split;
  Split kept{.train = {}, .validation = split.validation};
  const size_t looked_at = static_cast<size_t>(seen.images) + seen.skipped.size();
  for (size_t i = 0; i < std::min(looked_at, split.train.size()); ++i) {
    if (std::ranges::contains(seen.skipped, static_cast<int64_t>(i))) continue;
    kept.train.push_back(split.train[i]);
  }
  return kept;
}

}  // namespace octet
