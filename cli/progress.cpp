#include "progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <format>
#include <iostream>

namespace octet {
namespace {

constexpr double kRedraw = 0.1;
constexpr double kPlain = 5.0;
constexpr int kBar = 20;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

ProgressPrinter::Options for_stderr() {
  ProgressPrinter::Options options;
  options.terminal = ::isatty(STDERR_FILENO) == 1;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    options.columns = size.ws_col;
  }
  options.seconds = steady_seconds;
  return options;
}

/// "0:07", "12:30", "1:02:03".
std::string clock_text(double seconds) {
  const auto all = static_cast<int64_t>(std::ceil(std::min(seconds, 360000.0)));
  if (all < 3600) return std::format("{}:{:02}", all / 60, all % 60);
  return std::format("{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60);
}

std::string rate_text(const Progress& progress, double elapsed) {
  const double rate = static_cast<double>(progress.done) / std::max(elapsed, 1e-3);
  return std::format("{:.{}f} {}/s", rate, rate < 10 ? 1 : 0, progress.unit);
}

}  // namespace

ProgressPrinter::ProgressPrinter() : ProgressPrinter(std::cerr, for_stderr()) {}

ProgressPrinter::ProgressPrinter(std::ostream& out, Options options)
    : out_(out), options_(std::move(options)) {}

ProgressSink ProgressPrinter::sink() {
  return [this](const Progress& progress) { show(progress); };
}

void ProgressPrinter::show(const Progress& progress) {
  const double now = options_.seconds();
  if (progress.step != step_ || progress.done < done_) begin(progress, now);
  done_ = progress.done;
  const bool end = progress.done >= progress.total;
  const bool due = now - shown_ >= (options_.terminal ? kRedraw : kPlain);
  if (ended_ || (!end && !due)) return;
  shown_ = now;
  ended_ = end;
  if (options_.terminal) {
    out_ << "\r\x1b[K" << bar_line(progress, now - started_) << std::flush;
    line_open_ = true;
    if (end) end_line();
  } else {
    out_ << plain_line(progress, now - started_) << '\n' << std::flush;
  }
}

void ProgressPrinter::begin(const Progress& progress, double now) {
  end_line();
  step_ = progress.step;
  started_ = now;
  shown_ = options_.terminal ? now - kRedraw : now;  // a terminal shows the start at once
  ended_ = progress.total <= 0;                      // nothing to do, nothing to show
}

void ProgressPrinter::end_line() {
  if (line_open_) out_ << '\n' << std::flush;
  line_open_ = false;
}

std::string ProgressPrinter::bar_line(const Progress& progress, double elapsed) const {
  const double share = std::clamp(
      static_cast<double>(progress.done) / static_cast<double>(progress.total), 0.0, 1.0);
  const auto filled = static_cast<size_t>(share * kBar);
  std::string line =
      std::format("{}  [{}{}]  {}/{} {}", progress.step, std::string(filled, '#'),
                  std::string(kBar - filled, '.'), progress.done, progress.total, progress.unit);
  if (progress.done > 0) line += "  " + rate_text(progress, elapsed);
  if (progress.done >= progress.total) {
    line += std::format("  {}", clock_text(elapsed));
  } else if (progress.done > 0) {
    line += std::format("  {} left", clock_text(elapsed * (1 - share) / share));
  }
  if (!progress.note.empty()) line += "  " + progress.note;
  if (line.size() >= options_.columns) line.resize(std::max<size_t>(options_.columns, 1) - 1);
  return line;
}

std::string ProgressPrinter::plain_line(const Progress& progress, double elapsed) const {
  std::string line = std::format("{}: {}/{} {}, {}", progress.step, progress.done, progress.total,
                                 progress.unit, rate_text(progress, elapsed));
  if (!progress.note.empty()) line += ", " + progress.note;
  return line;
}

}  // namespace octet
