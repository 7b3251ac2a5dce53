#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace octet {

/// A file that lines are only added to, each on the disk before the next thing is done; one process
/// at a time has it. A last line that has no end, because a process was killed while it wrote, is
/// taken away when the file is opened.
class LineFile {
 public:
  /// Makes the file where there is none. Throws Code::Io, also where another process has it.
  explicit LineFile(std::filesystem::path path);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// As they were when the file was opened, without their ends.
  const std::vector<std::string>& lines() const { return lines_; }
  /// `line` has no line end. Throws Code::Io.
  void add(std::string_view line);

 private:
  void read_lines();
  [[noreturn]] void refuse(std::string_view doing) const;

  std::filesystem::path path_;
  int fd_ = -1;
  std::vector<std::string> lines_;
};

}  // namespace octet
