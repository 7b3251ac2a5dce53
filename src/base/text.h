#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace octet {

/// "a, b, c".
std::string join(std::span<const std::string> parts, std::string_view separator = ", ");
/// The parts between separators; none of an empty text.
std::vector<std::string> split_text(std::string_view text, char separator);

/// "1x28x28"; dimensions below zero (the batch) are written "N".
std::string shape_text(std::span<const int64_t> shape);

/// The candidate with the smallest edit distance to `word`; empty when none is near (more than
/// half of its letters differ).
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// "unknown WHAT 'WORD'; did you mean 'NEAREST'? Known are a, b", or, where none is near, "unknown
/// WHAT 'WORD'; known are a, b".
std::string unknown_name(std::string_view what, std::string_view word,
                         std::span<const std::string> known);

/// First line of a foreign library's message, trimmed: what fits into one of ours.
std::string first_line(std::string_view message);

}  // namespace octet
