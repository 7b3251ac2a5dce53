#include "base/text.h"

#include <algorithm>
#include <format>
#include <numeric>

namespace octet {

std::vector<std::string> split_text(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string shape_text(std::span<const int64_t> shape) {
  std::string out;
  for (int64_t dim : shape) {
    if (!out.empty()) out += 'x';
    out += dim < 0 ? "N" : std::to_string(dim);
  }
  return out.empty() ? "scalar" : out;
}

namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  std::string best;
  size_t best_distance = word.size() / 2 + 1;
  for (const auto& candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string unknown_name(std::string_view what, std::string_view word,
                         std::span<const std::string> known) {
  const std::string near = nearest(word, known);
  const std::string hint = near.empty() ? "k" : std::format("did you mean '{}'? K", near);
  return std::format("unknown {} '{}'; {}nown are {}", what, word, hint, join(known));
}

std::string first_line(std::string_view message) {
  const size_t begin = message.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  size_t end = message.find('\n', begin);
  if (end == std::string_view::npos) end = message.size();
  while (end > begin && (message[end - 1] == ' ' || message[end - 1] == '\r')) --end;
  return std::string(message.substr(begin, end - begin));
}

}  // namespace octet
