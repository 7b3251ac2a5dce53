#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <optional>

#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

std::string text_of(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path, Code::Data);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Names of all that is in the folder, in order.
std::vector<std::string> names_in(const TempFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// A disk that is full: no file may grow beyond `bytes` while it lives.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(WriteFile, ReplacesWhatWasThere) {
  const TempFolder folder;
  const auto path = folder / "report.json";
  for (const std::string& text :
       {std::string("first, and longer"), std::string("second"), std::string(),
        std::string("a\0b", 3), std::string(1 << 20, 'x')}) {
    write_file(path, text);
    EXPECT_EQ(text_of(path), text);
  }
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"report.json"});
}

TEST(WriteFile, MakesAFileThatOthersMayRead) {
  const TempFolder folder;
  write_file(folder / "a", "text");
  struct stat info{};
  ASSERT_EQ(::stat((folder / "a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0644u);
}

TEST(WriteFile, ReplacesAFileThatIsBeingRead) {
  const TempFolder folder;
  const auto path = folder.write("a", "before");
  std::ifstream reader(path);
  write_file(path, "after!");
  std::string seen;
  reader >> seen;
  EXPECT_EQ(seen, "before");
}

TEST(WriteFile, LeavesTheOldFileWhenTheDiskIsFull) {
  const TempFolder folder;
  const auto path = folder.write("net.onnx", "the old network");
  const std::string large(1 << 20, 'x');
  std::optional<Error> error;
  {
    const FullDisk full(4096);
    error = error_of([&] { write_file(path, large); });
  }
  EXPECT_EQ(error->code(), Code::Io);
  EXPECT_EQ(folder.without(error->what()), "cannot write net.onnx (1048576 bytes): File too large");
  EXPECT_EQ(text_of(path), "the old network");
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"net.onnx"});
  write_file(path, large);
  EXPECT_EQ(text_of(path), large);
}

struct Refusal {
  std::string_view what;
  std::function<void(const TempFolder&)> action;
  Code code;
  std::string_view message;
};

const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> rows{
      {"a missing folder",
       [](const TempFolder& folder) { write_file(folder / "no/such/a.json", "text"); }, Code::Io,
       "cannot write no/such/a.json: No such file or directory"},
      {"a file as the folder",
       [](const TempFolder& folder) { write_file(folder / "file/a.json", "text"); }, Code::Io,
       "cannot write file/a.json: Not a directory"},
      {"a folder as the file",
       [](const TempFolder& folder) { write_file(folder / "folder", "text"); }, Code::Io,
       "cannot write folder (4 bytes): Is a directory"},
      {"reading what is not there",
       [](const TempFolder& folder) { read_file(folder / "none.onnx", Code::Model); }, Code::Model,
       "cannot read none.onnx: No such file or directory"},
      {"reading below a file",
       [](const TempFolder& folder) { read_file(folder / "file/a.yaml", Code::Recipe); },
       Code::Recipe, "cannot read file/a.yaml: Not a directory"},
      {"reading a folder",
       [](const TempFolder& folder) { read_file(folder / "folder", Code::Data); }, Code::Data,
       "cannot read folder: it is not a file"},
      {"reading in a circle",
       [](const TempFolder& folder) { read_file(folder / "circle", Code::Data); }, Code::Io,
       "cannot read circle: Too many levels of symbolic links"},
      {"a folder where a file is", [](const TempFolder& folder) { make_folder(folder / "file"); },
       Code::Io, "cannot make the folder file: Not a directory"},
      {"a folder below a file",
       [](const TempFolder& folder) { make_folder(folder / "file/below"); }, Code::Io,
       "cannot make the folder file/below: Not a directory"},
  };
  return rows;
}

TEST(File, RefusesByPathAndLeavesNothing) {
  const TempFolder folder;
  folder.write("file", "text");
  std::filesystem::create_directory(folder / "folder");
  std::filesystem::create_symlink("circle", folder / "circle");
  for (const Refusal& row : refusals()) {
    SCOPED_TRACE(row.what);
    const Error error = error_of([&] { row.action(folder); });
    EXPECT_EQ(error.code(), row.code);
    EXPECT_EQ(folder.without(error.what()), row.message);
    EXPECT_EQ(names_in(folder), (std::vector<std::string>{"circle", "file", "folder"}));
    EXPECT_EQ(text_of(folder / "file"), "text");
  }
}

TEST(File, MakesFoldersWithTheirParents) {
  const TempFolder folder;
  make_folder(folder / "a/b/c");
  make_folder(folder / "a/b/c");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
}

}  // namespace
}  // namespace octet
