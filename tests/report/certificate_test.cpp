#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "octet/octet.h"

namespace octet {
namespace {

/// Four values; "b" parts by a step, "c" by three.
Certificate parting() {
  Certificate made{.file = "int8.onnx", .runtime = "ONNX Runtime 1.23", .images = 32};
  made.tensors = {{.name = "x", .elements = 100, .sqnr = std::numeric_limits<double>::infinity()},
                  {.name = "b",
                   .elements = 200,
                   .differing = 3,
                   .largest = 1,
                   .deployed = 5,
                   .simulated = 4,
                   .sqnr = 40.126},
                  {.name = "long name", .elements = 50, .differing = 50, .largest = 3, .sqnr = 3}};
  made.same_as_simulated = 96.875;
  made.same_as_float = 90.625;
  return made;
}

Certificate equal() {
  Certificate made = parting();
  for (CheckedTensor& tensor : made.tensors) tensor.differing = tensor.largest = 0;
  return made;
}

TEST(Certificate, PrintsALinePerValue) {
  EXPECT_EQ(parting().text(),
            "value        elements  differing    largest        SQNR\n"
            "x                 100    0.000 %    0 steps       exact\n"
            "b                 200    1.500 %     1 step    40.13 dB\n"
            "long name          50  100.000 %    3 steps     3.00 dB\n"
            "int8.onnx in ONNX Runtime 1.23, 32 images: 'b' is the first value where they part: "
            "ONNX Runtime 1.23 computes 5, the simulation 4; 1.500 % of its elements differ, by up "
            "to 1 step; same prediction as simulated 96.88 %, as in float 90.62 %\n");
  EXPECT_EQ(equal().summary(),
            "int8.onnx in ONNX Runtime 1.23, 32 images: all integers of 3 values equal the "
            "simulation's; same prediction as simulated 96.88 %, as in float 90.62 %");
}

TEST(Certificate, RefusesWhatIsAboveTheLimit) {
  Certificate made = parting();
  const std::string first =
      "int8.onnx is not what its simulation computes: 'b' is the first value where they part: ONNX "
      "Runtime 1.23 computes 5, the simulation 4; 1.500 % of its elements differ, by up to 1 step";
  const std::string next =
      " look at the node that makes it, or allow more (--limit, --verify-limit, in a recipe "
      "'verification: {limit: N}')";
  EXPECT_EQ(made.refusal(), first + "; wanted at most 0 steps:" + next);
  made.limit = 1;
  EXPECT_EQ(made.refusal(),
            first + " ('long name' by up to 3 steps); wanted at most 1 step:" + next);
  made.limit = 3;
  EXPECT_EQ(made.refusal(), "");
  EXPECT_EQ(equal().refusal(), "");
}

TEST(Certificate, AllowsSumsInFloatToBeRoundedOtherwise) {
  Certificate made = parting();
  made.in_float = {"node \"n\" (Odd) stays in float, because it is odd"};
  made.tensors[1].after_float = made.tensors[2].after_float = true;
  EXPECT_EQ(made.refusal(), "");
  EXPECT_TRUE(made.summary().contains(
      "by up to 1 step (behind a node in float, where sums may be rounded otherwise)"))
      << made.summary();
  EXPECT_TRUE(made.text().contains("note: node \"n\" (Odd) stays in float")) << made.text();
  made.tensors[1].after_float = false;
  EXPECT_NE(made.refusal(), "");
  made.tensors[1].after_float = true;
  made.limit = 0;
  EXPECT_NE(made.refusal(), "") << "a limit that is given holds for all";
}

TEST(Certificate, IsJson) {
  const auto json = nlohmann::json::parse(parting().json());
  EXPECT_EQ(json["file"], "int8.onnx");
  EXPECT_EQ(json["images"], 32);
  EXPECT_EQ(json["largest"], 3);
  EXPECT_EQ(json["first_parting"], "b");
  EXPECT_EQ(json["passed"], false);
  EXPECT_TRUE(json["limit"].is_null());
  ASSERT_EQ(json["tensors"].size(), 3u);
  EXPECT_TRUE(json["tensors"][0]["sqnr"].is_null());
  EXPECT_EQ(json["tensors"][1]["deployed"], 5);
  EXPECT_EQ(json["tensors"][1]["simulated"], 4);
  const auto good = nlohmann::json::parse(equal().json());
  EXPECT_TRUE(good["first_parting"].is_null());
  EXPECT_EQ(good["passed"], true);
}

}  // namespace
}  // namespace octet
