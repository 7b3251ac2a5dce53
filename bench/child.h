#pragma once

#include <sys/types.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
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

/// The largest resident set that this process had, MiB. A child's `peak_mib` counts what its parent
/// held when it was started, too.
double own_peak_mib();

/// A program that answers commands, a line each, with a line of JSON.
class Conversation {
 public:
  Conversation(std::vector<std::string> words, std::filesystem::path log);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  /// Throws Code::Runtime naming the log when no answer comes.
  nlohmann::json ask(const std::string& command);

 private:
  std::filesystem::path log_;
  pid_t child_ = 0;
  FILE* to_ = nullptr;
  FILE* from_ = nullptr;
};

}  // namespace octet::bench
