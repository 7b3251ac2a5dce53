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
#include "base/text.h"

namespace octet::bench {
namespace {

double milliseconds(const std::function<void()>& contender, int calls) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) contender();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
             .count() /
         calls;
}

int whole_number(std::string_view text, std::string_view what) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1) {
    fail(Code::Usage, "{} is '{}'; wanted a whole number of 1 or more", what, text);
  }
  return count;
}

}  // namespace

int Options::number(const std::string& option, int otherwise) const {
  const auto found = numbers.find(option);
  return found == numbers.end() ? otherwise : found->second;
}

Options read_options(std::span<char*> arguments, const OwnOptions& own) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string argument = arguments[i];
    const bool more = i + 1 < arguments.size();
    if (argument == "--json" && more) {
      options.json = arguments[++i];
    } else if (std::ranges::contains(own.numbers, argument) && more) {
      options.numbers[argument] = whole_number(arguments[++i], argument);
    } else if (std::ranges::contains(own.flags, argument)) {
      options.flags.insert(argument);
    } else if (argument.starts_with("--")) {
      std::vector<std::string> known = own.flags;
      for (const std::string& number : own.numbers) known.push_back(number + " N");
      known.emplace_back("--json FILE");
      fail(Code::Usage, "'{}' is no option here; wanted {}", argument, join(known));
    } else {
      options.arguments.push_back(argument);
    }
  }
  return options;
}

int count_argument(const Options& options, size_t index, std::string_view what, int fallback) {
  if (index >= options.arguments.size()) return fallback;
  return whole_number(options.arguments[index], what);
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

std::vector<std::vector<double>> alternate_timed(
    std::span<const std::function<double(int calls)>> contenders, int rounds, int calls) {
  std::vector<std::vector<double>> times(contenders.size());
  std::vector<size_t> order(contenders.size());
  std::ranges::iota(order, 0);
  std::mt19937_64 random(1);
  for (int round = 0; round < rounds; ++round) {
    std::ranges::shuffle(order, random);
    for (const size_t turn : order) times[turn].push_back(contenders[turn](calls));
  }
  return times;
}

std::vector<std::vector<double>> alternate(std::span<const std::function<void()>> contenders,
                                           int rounds, int calls) {
  std::vector<std::function<double(int)>> timed;
  for (const auto& contender : contenders) {
    timed.emplace_back([&contender](int count) {
      contender();
      return milliseconds(contender, count);
    });
  }
  return alternate_timed(timed, rounds, calls);
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
        const std::function<void(const Options&, Table&)>& work, const OwnOptions& own) {
  try {
    const Options options = read_options(arguments.subspan(1), own);
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
