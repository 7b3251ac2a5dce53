// Calibrate once, decide later, by the program.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/workplace.h"

namespace octet {
namespace {

using test::expect_refused;
using test::run_octet;
using test::words;
using test::Workplace;

nlohmann::json json_in(const std::string& path) {
  std::ifstream in(path);
  return nlohmann::json::parse(in);
}

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(KeptCalibration, GivesTheFileThatImagesGive) {
  const Workplace place;
  const auto run = [&](const char* line) {
    const auto ended = run_octet(words(place, line));
    EXPECT_EQ(ended.status, 0) << line << ": " << ended.err;
    return place.without(ended.out);
  };
  run("quantize @net.onnx --data @data.yaml -o @a.onnx --observer entropy "
      "--keep-calibration @a.calib");
  run("quantize @net.onnx --calibration @a.calib -o @b.onnx --observer entropy");
  EXPECT_EQ(bytes_of(place.file("a.onnx")), bytes_of(place.file("b.onnx")));
  run("quantize @net.onnx --calibration @a.calib -o @b.onnx --observer percentile-99.999");
  EXPECT_NE(bytes_of(place.file("a.onnx")), bytes_of(place.file("b.onnx")));
  run("quantize @net.onnx --data @data.yaml -o @a.onnx --method analytic-bias-correction");
  const std::string said =
      run("quantize @net.onnx --calibration @a.calib -o @b.onnx --method analytic-bias-correction");
  EXPECT_TRUE(said.contains("analytic-bias-correction: the biases of ")) << said;
  EXPECT_EQ(bytes_of(place.file("a.onnx")), bytes_of(place.file("b.onnx")));
}

TEST(KeptCalibration, OfAnotherNetworkIsRefused) {
  const Workplace place;
  run_octet(words(place,
                  "quantize @net.onnx --data @data.yaml -o @a.onnx --keep-calibration "
                  "@a.calib"));
  run_octet(words(place,
                  "new resnet20 --input 1x8x8 --classes 3 --width 0.5 --seed 2 -o "
                  "@other.onnx"));
  run_octet(words(place, "new mobilenetv2 --input 1x8x8 --classes 3 -o @mobile.onnx"));
  const auto print = json_in(place.file("a.calib")).at("network").get<std::string>();
  const auto ended =
      run_octet(words(place, "quantize @other.onnx --calibration @a.calib -o @b.onnx"));
  EXPECT_EQ(ended.status, 2);
  EXPECT_TRUE(place.without(ended.err).starts_with(
      "octet: a.calib is a calibration of the network " + print +
      "; this one, whose values have the same names, is "))
      << ended.err;
  EXPECT_TRUE(ended.err.ends_with(
      ": its weights, or methods that change them, are others: calibrate again\n"))
      << ended.err;
  const auto mobile =
      run_octet(words(place, "quantize @mobile.onnx --calibration @a.calib -o @b.onnx"));
  EXPECT_EQ(mobile.status, 2);
  EXPECT_TRUE(place.without(mobile.err)
                  .starts_with("octet: a.calib is a calibration of another network, or for other "
                               "targets: the value '"))
      << mobile.err;
}

TEST(KeptCalibration, TellsHowRangesSettled) {
  const Workplace place;
  const auto made = run_octet(
      words(place,
            "quantize @net.onnx --data @data.yaml -o @a.onnx --keep-calibration @a.calib --json "
            "@a.json"));
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_TRUE(
      made.out.contains("note: calibration: 22 images, seen at once, which does not tell "
                        "whether they are enough\nnote: of 2 held-back images "))
      << made.out;
  const auto known = json_in(place.file("a.json"));
  EXPECT_EQ(known.at("calibration").at("images"), 22);
  EXPECT_EQ(known.at("calibration").at("held_back"), 2);
  const auto& values = known.at("calibration").at("values");
  ASSERT_GT(values.size(), 20U);
  for (const auto& value : values) {
    EXPECT_LE(value.at("low"), value.at("most_low")) << value;
    EXPECT_GE(value.at("high"), value.at("most_high")) << value;
    EXPECT_GE(value.at("clipped"), 0.0) << value;
    EXPECT_LE(value.at("clipped"), 100.0) << value;
    EXPECT_LT(value.at("grid").at(0), value.at("grid").at(1)) << value;
  }
  const auto seen = run_octet(words(place, "inspect @a.calib --json @b.json"));
  EXPECT_EQ(seen.status, 0) << seen.err;
  EXPECT_TRUE(seen.out.starts_with("value ")) << seen.out;
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(seen.out, '\n')), values.size() + 2);
  EXPECT_EQ(json_in(place.file("b.json")).at("values").size(), values.size());
}

}  // namespace
}  // namespace octet
