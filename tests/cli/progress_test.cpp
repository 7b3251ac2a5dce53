#include "progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace octet {
namespace {

/// A printer into a string, with a clock that the test moves.
struct Screen {
  explicit Screen(bool terminal, size_t columns = 100)
      : printer(out,
                {.terminal = terminal, .columns = columns, .seconds = [this] { return now; }}) {}
  /// Moves the clock and shows the step; returns what was printed meanwhile.
  std::string at(double seconds, const Progress& progress) {
    now = seconds;
    printer.show(progress);
    return taken();
  }
  std::string taken() {
    std::string text = out.str();
    out.str("");
    return text;
  }

  double now = 0;
  std::ostringstream out;
  ProgressPrinter printer;
};

Progress images(int64_t done, std::string note = "") {
  return {"calibrate", done, 1024, "images", std::move(note)};
}

TEST(ProgressPrinter, PrintsFewPlainLinesToAFile) {
  Screen screen(false);
  EXPECT_EQ(screen.at(0, images(0)), "");
  EXPECT_EQ(screen.at(4.9, images(400)), "");
  EXPECT_EQ(screen.at(5, images(500)), "calibrate: 500/1024 images, 100 images/s\n");
  EXPECT_EQ(screen.at(6, images(600)), "");
  EXPECT_EQ(screen.at(8, images(1024, "loss 0.31")),
            "calibrate: 1024/1024 images, 128 images/s, loss 0.31\n");
  EXPECT_EQ(screen.at(9, images(1024)), "");
}

TEST(ProgressPrinter, RedrawsOneLineOnATerminal) {
  Screen screen(true);
  EXPECT_EQ(screen.at(0, images(0)), "\r\x1b[Kcalibrate  [....................]  0/1024 images");
  EXPECT_EQ(screen.at(0.05, images(10)), "");
  EXPECT_EQ(screen.at(4, images(512, "loss 0.31")),
            "\r\x1b[Kcalibrate  [##########..........]  512/1024 images  128 images/s  0:04 left  "
            "loss 0.31");
  EXPECT_EQ(screen.at(128, images(1024)),
            "\r\x1b[Kcalibrate  [####################]  1024/1024 images  8.0 images/s  2:08\n");
  screen.printer.end_line();
  EXPECT_EQ(screen.taken(), "");
}

TEST(ProgressPrinter, EndsALineThatIsHalfDrawn) {
  Screen screen(true);
  screen.at(0, images(0));
  screen.printer.end_line();
  EXPECT_EQ(screen.taken(), "\n");
  screen.at(1, images(1));
  EXPECT_EQ(screen.at(2, {"train epoch 1/3", 0, 8, "batches", ""}),
            "\n\r\x1b[Ktrain epoch 1/3  [....................]  0/8 batches");
}

TEST(ProgressPrinter, CutsLinesToTheTerminal) {
  Screen screen(true, 20);
  EXPECT_EQ(screen.at(0, images(0)), "\r\x1b[Kcalibrate  [.......");
}

TEST(ProgressPrinter, StartsAgainWhenTheSameStepIsRepeated) {
  Screen screen(false);
  screen.at(0, images(0));
  screen.at(1, images(1024));
  EXPECT_EQ(screen.at(10, images(0)), "");
  EXPECT_EQ(screen.at(12, images(1024)), "calibrate: 1024/1024 images, 512 images/s\n");
}

TEST(ProgressPrinter, SaysNothingOfStepsWithNothingToDo) {
  Screen screen(true);
  EXPECT_EQ(screen.at(0, {"train", 0, 0, "batches", ""}), "");
}

}  // namespace
}  // namespace octet
