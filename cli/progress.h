#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "octet/progress.h"

namespace octet {

/// Shows long steps. On a terminal, one line that is drawn again at most 10 times a second and
/// stays when its step ends:
///
///     calibrate  [#########...........]  512/1024 images  1234 images/s  0:02 left  note
///
/// Elsewhere (a file, a pipe), plain lines: one every 5 seconds, and one at the end of a step:
///
///     calibrate: 1024/1024 images, 1234 images/s, loss 0.31
class ProgressPrinter {
 public:
  struct Options {
    bool terminal = false;
    size_t columns = 80;              ///< a terminal's lines are cut to fit
    std::function<double()> seconds;  ///< the clock
  };

  /// To stderr, as a terminal or not, whichever it is.
  ProgressPrinter();
  ProgressPrinter(std::ostream& out, Options options);
  ~ProgressPrinter() { end_line(); }
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  /// Hand this to the library; it must not outlive the printer.
  ProgressSink sink();

  void show(const Progress& progress);

  /// Ends a line that is half drawn, so that what is printed next stands on its own. The
  /// destructor does it too.
  void end_line();

 private:
  void begin(const Progress& progress, double now);
  std::string bar_line(const Progress& progress, double elapsed) const;
  std::string plain_line(const Progress& progress, double elapsed) const;

  std::ostream& out_;
  Options options_;
  std::string step_;
  int64_t done_ = 0;
  bool ended_ = true;  ///< the step's last line is out
  bool line_open_ = false;
  double started_ = 0;
  double shown_ = 0;
};

}  // namespace octet
