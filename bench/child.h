#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace octet::bench {

/// What a program took, from its start to its end.
struct ChildUse {
  double seconds = 0;
  double peak_mib = 0;  ///< largest resident set
  std::string output;   ///< its standard output
};

/// Runs a program, the first of the words, to its end; what it complains about goes into the file
/// `log`. Throws Code::Runtime naming the log when it fails.
ChildUse run_child(std::vector<std::string> words, const std::filesystem::path& log);

}  // namespace octet::bench
