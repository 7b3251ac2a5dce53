#include <gtest/gtest.h>

#include "octet/octet.h"

namespace octet {
namespace {

CalibratedValue value(std::string name, int64_t settled, double moved,
                      std::optional<double> clipped = {}) {
  CalibratedValue made{.name = std::move(name), .numbers = 100, .low = -1, .high = 4};
  made.most_low = -0.5;
  made.most_high = 3.25;
  made.settled = settled;
  made.moved = moved;
  made.clipped = clipped;
  return made;
}

TEST(CalibrationReport, SaysWhetherTheImagesWereEnough) {
  struct Case {
    std::vector<CalibratedValue> values;
    int64_t held_back;
    std::vector<std::string> notes;
    int64_t enough;
  };
  const std::vector<Case> cases{
      {{value("a", 128, 1), value("b", 256, 0.5)},
       0,
       {"calibration: 1024 images; after 256 of them all ranges were within 2 % of the last"},
       256},
      {{value("a", 1024, 2.5), value("b", 1024, 31), value("c", 64, 1)},
       0,
       {"calibration: 1024 images; 1 of 3 ranges were within 2 % of the last after 64 of them; "
        "that "
        "of 'b' moved by 31.0 % at last"},
       1024},
      {{value("a", 1024, 5)},
       0,
       {"calibration: 1024 images; 0 of 1 ranges were within 2 % of the last before the end; that "
        "of 'a' moved by 5.0 % at last"},
       1024},
      {{value("a", 0, 0)},
       0,
       {"calibration: 1024 images, seen at once, which does not tell whether they are enough"},
       0},
      {{value("a", 64, 0, 0), value("b", 64, 0, 0)},
       32,
       {"calibration: 1024 images; after 64 of them all ranges were within 2 % of the last",
        "of 32 held-back images no number lies beyond its grid"},
       64},
      {{value("a", 64, 0, 0.0004), value("b", 64, 0, 0)},
       32,
       {"calibration: 1024 images; after 64 of them all ranges were within 2 % of the last",
        "of 32 held-back images 'a' has most numbers beyond its grid (< 0.001 %)"},
       64},
      {{value("a", 64, 0, 0.02), value("b", 64, 0, 12.5)},
       32,
       {"calibration: 1024 images; after 64 of them all ranges were within 2 % of the last",
        "of 32 held-back images 'b' has most numbers beyond its grid (12.500 %): the calibration "
        "images may not be like these"},
       64},
      {{}, 0, {}, 0},
  };
  for (const Case& c : cases) {
    CalibrationReport report{.images = 1024, .left_out = {}, .values = c.values};
    report.held_back = c.held_back;
    EXPECT_EQ(report.notes(), c.notes);
    EXPECT_EQ(report.enough(), c.enough);
  }
}

TEST(CalibrationReport, WarnsOfNetworksThatLookAtWholeBatches) {
  CalibrationReport report{.images = 64, .left_out = {}, .batch = 32, .values = {}};
  report.values = {value("a", 32, 0)};
  report.batch_effect = 0.001;
  EXPECT_EQ(report.notes().size(), 1U);
  report.batch_effect = 7;
  EXPECT_EQ(report.notes().at(1),
            "an image's results depend on the others in its batch (by 7.0 %): calibrated in "
            "batches of 32, which says little about batches of another size");
}

TEST(CalibrationReport, IsATable) {
  CalibrationReport report{.images = 1024, .left_out = {"an image was left out"}, .values = {}};
  report.held_back = 32;
  report.values = {value("/layer/relu", 128, 1.25, 0.5), value("b", 0, 0, 0)};
  EXPECT_EQ(
      report.text(),
      "value            numbers     smallest      largest  99.99 % from           to  settled    "
      "moved      clipped\n"
      "/layer/relu          100           -1            4          -0.5         3.25      128    "
      "1.2 %      0.500 %\n"
      "b                    100           -1            4          -0.5         3.25        -    "
      "0.0 %          0 %\n"
      "an image was left out\n"
      "calibration: 1024 images; after 128 of them all ranges were within 2 % of the last\n"
      "of 32 held-back images '/layer/relu' has most numbers beyond its grid (0.500 %)\n");
  EXPECT_TRUE(report.json().contains("\"enough\": 128")) << report.json();
}

}  // namespace
}  // namespace octet
