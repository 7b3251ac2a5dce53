#include <gtest/gtest.h>

#include "cli/workplace.h"

namespace octet {
namespace {

using test::run_octet;
using test::words;
using test::Workplace;

TEST(CompareCommand, SaysThatTwinsAreEqualAndOthersNot) {
  const Workplace place;
  const auto quantize = [&](std::string_view rest) {
    const std::string line = "quantize @net.onnx --data @data.yaml --images 8 ";
    const auto made = run_octet(words(place, line + std::string(rest)));
    ASSERT_EQ(made.status, 0) << made.err;
  };
  quantize("-o @a.onnx -o @a.tflite");
  quantize("-o @b.onnx -o @b.tflite --observer minmax --seed 7");

  const auto equal = run_octet(words(place, "compare @a.onnx @a.tflite --json @equal.json"));
  EXPECT_EQ(equal.status, 0) << equal.err;
  EXPECT_TRUE(equal.out.ends_with("the files store the same network\n")) << equal.out;
  EXPECT_TRUE(place.files().contains("equal.json"));

  const auto different = run_octet(words(place, "compare @a.onnx @b.tflite"));
  EXPECT_EQ(different.status, 1);
  EXPECT_TRUE(place.without(different.err)
                  .starts_with("octet: a.onnx and b.tflite do not store the same network: "))
      << different.err;
  EXPECT_TRUE(different.out.starts_with("'")) << different.out;
}

TEST(CompareCommand, RefusesWhatItCannotRead) {
  const Workplace place;
  place.write("empty.onnx", "");
  const test::RefusedCommand rows[] = {
      {"extension", "compare @net.onnx @data.yaml", 2,
       "net.onnx has no QuantizeLinear and no DequantizeLinear; wanted an INT8 file, as 'octet "
       "quantize' writes one"},
      {"empty", "compare @empty.onnx @net.onnx", 2, "empty.onnx is empty; wanted an ONNX file"},
      {"missing", "compare @none.tflite @net.onnx", 2,
       "cannot read none.tflite: No such file or directory"},
  };
  for (const auto& row : rows) test::expect_refused(place, row);
}

}  // namespace
}  // namespace octet
