#include "rows.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <print>
#include <random>

#include "base/fail.h"
#include "base/file.h"

namespace octet::bench {
namespace {

double milliseconds(const std::function<void()>& contender, int calls) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) contender();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
             .count() /
         calls;
}

}  // namespace

Options read_options(std::span<char*> arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i];
    if (argument == "--json" && i + 1 < arguments.size()) {
      options.json = arguments[++i];
    } else if (argument.starts_with("--")) {
      fail(Code::Usage, "'{}' is no option here; wanted --json FILE", argument);
    } else {
      options.arguments.push_back(argument);
    }
  }
  return options;
}

int count_argument(const Options& options, size_t index, std::string_view what, int fallback) {
  if (index >= options.arguments.size()) return fallback;
  const std::string& text = options.arguments[index];
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1) {
    fail(Code::Usage, "{} is '{}'; wanted a whole number of 1 or more", what, text);
  }
  return count;
}

double quantile(std::vector<double> numbers, double share) {
  std::ranges::sort(numbers);
  return numbers.at(static_cast<size_t>(share * static_cast<double>(numbers.size() - 1)));
}

double median(std::vector<double> numbers) { return quantile(std::move(numbers), 0.5); }

Row compare(std::string name, std::string metric, std::span<const double> ours,
            std::span<const double> peer) {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / peer[i]);
  return {.name = std::move(name),
          .metric = std::move(metric),
          .ours = median({ours.begin(), ours.end()}),
          .peer = median({peer.begin(), peer.end()}),
          .ratio = median(ratios),
          .low = quantile(ratios, 0.25),
          .high = quantile(ratios, 0.75)};
}

std::vector<std::vector<double>> alternate(std::span<const std::function<void()>> contenders,
                                           int rounds, int calls) {
  std::vector<std::vector<double>> times(contenders.size());
  std::vector<size_t> order(contenders.size());
  std::ranges::iota(order, 0);
  std::mt19937_64 random(1);
  for (int round = 0; round < rounds; ++round) {
    std::ranges::shuffle(order, random);
    for (const size_t turn : order) {
      contenders[turn]();
      times[turn].push_back(milliseconds(contenders[turn], calls));
    }
  }
  return times;
}

void Table::add(Row row) {
  if (rows_.empty()) {
    std::println("{:<44} {:<34} {:>9} {:>9} {:>6}  spread", "case", "metric", "ours", "peer",
                 "ratio");
  }
  std::println("{:<44} {:<34} {:>9.4g} {:>9.4g} {:>6.3f}  {:.3f} to {:.3f}", row.name, row.metric,
               row.ours, row.peer, row.ratio, row.low, row.high);
  std::fflush(stdout);
  rows_.push_back(std::move(row));
}

void Table::write_json(const std::filesystem::path& path) const {
  if (path.empty()) return;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Row& row : rows_) {
    rows.push_back({{"case", row.name},
                    {"metric", row.metric},
                    {"ours", row.ours},
                    {"peer", row.peer},
                    {"ratio", row.ratio},
                    {"spread", {row.low, row.high}}});
  }
  write_file(path, rows.dump(2) + "\n");
}

int run(std::string_view benchmark, std::span<char*> arguments,
        const std::function<void(const Options&, Table&)>& work) {
  try {
    const Options options = read_options(arguments.subspan(1));
    Table table;
    work(options, table);
    table.write_json(options.json);
    return 0;
  } catch (const Error& error) {
    std::println(stderr, "{}: {}", benchmark, error.what());
    return exit_status(error.code());
  }
}

}  // namespace octet::bench
