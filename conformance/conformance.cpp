// Runs ONNX's own test models (Debian's libonnx-testdata) and says which octet computes right.
//
//     conformance [--markdown FILE] [--all] [PART OF A NAME]
//
// Exit code 1 when a model failed. `--all` also says why each unsupported model is refused.

#include <cstdlib>
#include <print>
#include <string_view>

#include "base/file.h"
#include "formats/onnx/schemas.h"
#include "result_table.h"

namespace {

constexpr std::string_view kModels = "/usr/share/libonnx-testdata/data";

struct Options {
  std::string markdown;
  std::string part;
  bool all = false;
};

Options read_options(std::span<char*> arguments) {
  Options options;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--markdown" && i + 1 < arguments.size()) {
      options.markdown = arguments[++i];
    } else if (argument == "--all") {
      options.all = true;
    } else if (argument.starts_with('-')) {
      throw octet::Error(octet::Code::Usage,
                         "usage: conformance [--markdown FILE] [--all] [PART OF A NAME]");
    } else {
      options.part = argument;
    }
  }
  return options;
}

int run(const Options& options) {
  using namespace octet::conformance;
  octet::register_onnx_schemas();  // once, not in each child
  ResultTable table;
  for (const ModelTest& test : find_models(kModels)) {
    if (test.name.contains(options.part)) table.add(test, run_apart(test));
  }
  std::print("{}", table.text(options.all));
  if (!options.markdown.empty()) octet::write_file(options.markdown, table.markdown());
  return table.count(Outcome::Failed) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace

int main(int count, char** arguments) try {
  return run(read_options({arguments, static_cast<size_t>(count)}));
} catch (const octet::Error& error) {
  std::println(stderr, "conformance: {}", error.what());
  return octet::exit_status(error.code());
}
