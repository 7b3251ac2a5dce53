#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What all benchmarks share: contenders are measured in turns, in one process; what is said of
/// them is the median of the ratio of each round, and its quartiles.
namespace octet::bench {

/// Options that a benchmark has besides `--json FILE`.
struct OwnOptions {
  std::vector<std::string> numbers = {};  ///< "--rounds", which a number follows
  std::vector<std::string> flags = {};
};

/// What stands on the command line.
struct Options {
  std::filesystem::path json;  ///< empty: none is written
  std::vector<std::string> arguments;
  std::map<std::string, int> numbers = {};
  std::set<std::string> flags = {};

  int number(const std::string& option, int otherwise) const;
  bool has(const std::string& flag) const { return flags.contains(flag); }
};
/// Throws Code::Usage for an option without its file or number, and for other options.
Options read_options(std::span<char*> arguments, const OwnOptions& own = {});
/// An argument as a whole number of 1 or more; `fallback` where there are fewer arguments. Throws
/// Code::Usage naming `what`.
int count_argument(const Options& options, size_t index, std::string_view what, int fallback);

double quantile(std::vector<double> numbers, double share);
double median(std::vector<double> numbers);

struct Row {
  std::string name;    ///< what is measured: a network, a form
  std::string metric;  ///< with its unit: "INT8 ONNX / float ONNX, ms"
  double ours = 0;     ///< medians over the rounds
  double peer = 0;
  double ratio = 0;  ///< median of ours / peer of each round
  double low = 0;    ///< first and third quartile of that
  double high = 0;
};

/// One number per round each. Numbers of the same round are compared.
Row compare(std::string name, std::string metric, std::span<const double> ours,
            std::span<const double> peer);

/// Milliseconds per call, [contender][round]: a contender takes the number of its calls, and says
/// how long each took. The order is drawn anew in each round, for who comes behind whom shows.
std::vector<std::vector<double>> alternate_timed(
    std::span<const std::function<double(int calls)>> contenders, int rounds, int calls);

/// The same of contenders that are timed here. In each round each contender is called once to fetch
/// its data, then `calls` times.
std::vector<std::vector<double>> alternate(std::span<const std::function<void()>> contenders,
                                           int rounds, int calls);

/// Prints rows as they come and keeps them.
class Table {
 public:
  void add(Row row);
  /// An array of objects with the keys case, metric, ours, peer, ratio, spread ([low, high]).
  /// Nothing where `path` is empty.
  void write_json(const std::filesystem::path& path) const;

 private:
  std::vector<Row> rows_;
};

/// The end of a benchmark's `main`: runs `work`, and turns octet's errors into one line on standard
/// error and an exit status.
int run(std::string_view benchmark, std::span<char*> arguments,
        const std::function<void(const Options&, Table&)>& work, const OwnOptions& own = {});

}  // namespace octet::bench
