#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <format>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/workplace.h"
#include "support/onnx_model.h"

namespace octet {
namespace {

namespace fs = std::filesystem;
using test::expect_refused;
using test::RefusedCommand;
using test::run_octet;
using test::words;
using test::Workplace;

TEST(Program, RefusesCommandLines) {
  const Workplace place;
  const RefusedCommand cases[] = {
      {"nothing", "", 2, "A subcommand is required; see 'octet --help'"},
      {"unknown subcommand", "frob", 2,
       "unknown subcommand 'frob'; known are new, train, run, quantize, convert, eval, inspect, "
       "targets, verify, compare, grid, "
       "sensitivity, search"},
      {"unknown option", "inspect @net.onnx --frob", 2,
       "The following argument was not expected: --frob; see 'octet --help'"},
      {"missing output", "new resnet20", 2, "--output is required; see 'octet --help'"},
      {"missing data", "eval @net.onnx", 2, "--data is required; see 'octet --help'"},
      {"missing model", "inspect", 2, "MODEL is required; see 'octet --help'"},
      {"no number", "new resnet20 --classes x -o @a.onnx", 2,
       "Could not convert: --classes = x; see 'octet --help'"},
      {"unknown architecture", "new foo -o @a.onnx", 2,
       "unknown architecture 'foo'; known are mobilenetv3-tiny, resnet20, mobilenetv2, "
       "mobilenetv3-small, efficientnet-lite0, efficientnet-b0, efficientvit-b0, efficientvit-b1, "
       "vit-tiny, resnet18, resnet50"},
      {"bad shape", "new resnet20 --input 1x8 -o @a.onnx", 2,
       "'1x8' is no image shape; wanted CHANNELSxHEIGHTxWIDTH, such as 1x28x28"},
      {"no class", "new resnet20 --input 1x8x8 --classes 0 -o @a.onnx", 2,
       "a network wants an input CxHxW, one class or more and a width above 0; given 1x8x8, 0 and "
       "1"},
      {"unknown target", "quantize @net.onnx --data @data.yaml --target foo -o @a.onnx", 2,
       "unknown target 'foo'; known are onnxruntime-cpu, onnxruntime-qdq-any, tflite, "
       "tflite-int16x8, litert, nxp-neutron, ethos-u, cmsis-nn"},
      {"unknown weights", "quantize @net.onnx --data @data.yaml --weights fine -o @a.onnx", 2,
       "'fine' is no choice of weights; wanted per-channel or per-tensor"},
      {"unknown activations", "quantize @net.onnx --data @data.yaml --activations no -o @a.onnx", 2,
       "'no' is no choice of activations; wanted asymmetric or symmetric"},
      {"unknown ends", "quantize @net.onnx --data @data.yaml --io int4 -o @a.onnx", 2,
       "'int4' is no choice of input and output; wanted float or int8 or uint8 (did you mean "
       "'int8'?)"},
      {"weights that a target lacks",
       "quantize @net.onnx --data @data.yaml --target nxp-neutron --weights per-channel -o "
       "@a.tflite",
       2,
       "the target nxp-neutron has weights per tensor only; leave the weights to the targets, or "
       "ask for per-tensor"},
      {"ends that a target lacks",
       "quantize @net.onnx --data @data.yaml --target nxp-neutron --io float -o @a.tflite", 2,
       "a file for the target nxp-neutron has int8 at its ends, nothing else; leave the ends to "
       "the targets, or ask for int8"},
      {"plan of a TFLite file", "inspect @net.tflite --target tflite", 2,
       "net.tflite: wanted a float .onnx network to plan for targets"},
      {"unknown observer", "quantize @net.onnx --data @data.yaml --observer foo -o @a.onnx", 2,
       "unknown observer 'foo'; known are minmax, moving-average, percentile, percentile-99.99, "
       "percentile-99.999, entropy, mse, search"},
      {"misspelt observer",
       "quantize @net.onnx --data @data.yaml --observer percentil-99.999 -o @a.onnx", 2,
       "unknown observer 'percentil-99.999'; did you mean 'percentile-99.999'? Known are minmax, "
       "moving-average, percentile, percentile-99.99, percentile-99.999, entropy, mse, search"},
      {"misspelt target", "quantize @net.onnx --data @data.yaml --target tflight -o @a.tflite", 2,
       "unknown target 'tflight'; did you mean 'tflite'? Known are onnxruntime-cpu, "
       "onnxruntime-qdq-any, tflite, tflite-int16x8, litert, nxp-neutron, ethos-u, cmsis-nn"},
      {"misspelt weights", "quantize @net.onnx --data @data.yaml --weights per-chanel -o @a.onnx",
       2,
       "'per-chanel' is no choice of weights; wanted per-channel or per-tensor (did you mean "
       "'per-channel'?)"},
      {"unknown way with bad images",
       "quantize @net.onnx --data @data.yaml --bad-images drop -o @a.onnx", 2,
       "'drop' is no choice of bad images; wanted fail or skip"},
      {"percentile of half", "quantize @net.onnx --data @data.yaml --percentile 50 -o @a.onnx", 2,
       "the percentile is 50; wanted above 50, at most 100"},
      {"bad percentile", "quantize @net.onnx --data @data.yaml --percentile 200 -o @a.onnx", 2,
       "the percentile is 200; wanted above 50, at most 100"},
      {"no image", "quantize @net.onnx --data @data.yaml --images 0 -o @a.onnx", 2,
       "0 calibration images; wanted 1 or more"},
      {"unknown output", "quantize @net.onnx --data @data.yaml -o @a.txt", 2,
       "a.txt: the format is told by the extension; wanted .onnx, .tflite or .octet"},
      {"unknown input", "eval @images --data @data.yaml", 2,
       "images: which runtime opens this file is told by its extension; wanted .onnx or .tflite"},
      {"unknown part", "eval @net.onnx --data @data.yaml --part all", 2,
       "part is 'all'; wanted 'test' or 'train'"},
      {"missing folder", "new resnet20 --input 1x8x8 -o @no/a.onnx", 1,
       "cannot write no/a.onnx: No such file or directory"},
      {"figures of a network", "inspect @net.onnx --json @a.json", 2,
       "net.onnx: --json is for a kept calibration (.calib)"},
      {"no calibration", "inspect @none.calib", 2,
       "cannot read none.calib: No such file or directory"},
      {"missing folder for int8", "quantize @net.onnx --data @data.yaml -o @no/a.onnx", 1,
       "cannot write no/a.onnx: its folder does not exist"},
  };
  for (const RefusedCommand& row : cases) expect_refused(place, row);
}

TEST(Program, LetsItsThreadsSleepWhereNobodyAskedForMore) {
  const auto shown = [](std::vector<std::string> environment) {
    std::vector<std::string> command{
        "env", "-u", "OMP_WAIT_POLICY", "-u", "GOMP_SPINCOUNT", "OMP_DISPLAY_ENV=verbose"};
    command.insert(command.end(), environment.begin(), environment.end());
    command.insert(command.end(), {test::kProgram, "--version"});
    return test::Program(std::move(command)).wait().err;
  };
  EXPECT_THAT(shown({}), testing::HasSubstr("GOMP_SPINCOUNT = '1000'"));
  EXPECT_THAT(shown({"GOMP_SPINCOUNT=77"}), testing::HasSubstr("GOMP_SPINCOUNT = '77'"));
  EXPECT_THAT(shown({"OMP_WAIT_POLICY=active"}),
              testing::Not(testing::HasSubstr("GOMP_SPINCOUNT = '1000'")));
}

TEST(Program, StartsWithoutTheMemoryHooksOfUcx) {
  const auto said = [](std::vector<std::string> environment) {
    std::vector<std::string> command{"env", "-u", "UCX_MEM_MMAP_HOOK_MODE",
                                     "UCX_MEM_LOG_LEVEL=debug"};
    command.insert(command.end(), environment.begin(), environment.end());
    command.insert(command.end(), {test::kProgram, "--version"});
    const auto ended = test::Program(std::move(command)).wait();
    return ended.out + ended.err;
  };
  const auto hooked = testing::HasSubstr("installing bistro hook");
  EXPECT_THAT(said({}), testing::Not(hooked));
  EXPECT_THAT(said({"UCX_MEM_MMAP_HOOK_MODE=bistro"}), hooked) << "the user's word counts";
}

TEST(Program, RefusesModels) {
  const Workplace place;
  place.write("text.onnx", "this is not a network");
  place.write("text.tflite", "this is not a network");
  place.write("empty.onnx", "");
  fs::copy_file(place.file("net.onnx"), place.file("cut.onnx"));
  fs::resize_file(place.file("cut.onnx"), 2000);
  test::write_model(place.folder(), test::onnx_model(R"(g (float[N, 1, 8, 8] x) => (float[N, 64] y)
      <int64 axis = {1}> { [odd] m = CumSum(x, axis) y = Flatten(m) })"),
                    "sums.onnx");
  const RefusedCommand cases[] = {
      {"missing", "quantize @none.onnx --data @data.yaml -o @a.onnx", 2,
       "cannot read none.onnx: No such file or directory"},
      {"missing, eval", "eval @none.onnx --data @data.yaml", 2,
       "cannot read none.onnx: there is no such file"},
      {"missing, inspect", "inspect @none.tflite", 2,
       "cannot read none.tflite: No such file or directory"},
      {"not ONNX", "quantize @text.onnx --data @data.yaml -o @a.onnx", 2,
       "text.onnx is not an ONNX file, or a truncated one; copy or export it again"},
      {"not ONNX, inspect", "inspect @text.onnx", 2,
       "text.onnx is not an ONNX file, or a truncated one; copy or export it again"},
      {"not TFLite, inspect", "inspect @text.tflite", 2,
       "text.tflite is not a TFLite file, or a truncated one"},
      {"empty", "quantize @empty.onnx --data @data.yaml -o @a.onnx", 2,
       "empty.onnx is empty; wanted an ONNX file"},
      {"truncated", "quantize @cut.onnx --data @data.yaml -o @a.tflite", 2,
       "cut.onnx is not an ONNX file, or a truncated one; copy or export it again"},
      {"operator without an integer form in one of two files",
       "quantize @sums.onnx --data @data.yaml -o @a.onnx -o @a.tflite", 1,
       "node \"odd\" (CumSum): onnxruntime-cpu and tflite have no integer form of it; a TFLite "
       "INT8 file has no float between its integers"},
  };
  for (const RefusedCommand& row : cases) expect_refused(place, row);
}

TEST(Program, RefusesData) {
  const Workplace place;
  const auto described = [&](const char* name, const std::string& images, const char* labels) {
    place.write(name, Workplace::data(images, labels));
  };
  place.write("large", idx_bytes({24, 9, 8}, counting(std::size_t{24} * 72)));
  described("large.yaml", "large", "labels");
  place.write("wrong", idx_bytes({24}, std::string(23, '\1') + '\3'));
  described("wrong.yaml", "images", "wrong");
  place.write("none", idx_bytes({0, 8, 8}, ""));
  place.write("no-labels", idx_bytes({0}, ""));
  described("none.yaml", "none", "no-labels");
  for (const char* name : {"a", "b", "c"}) {
    fs::create_directories(place.file(std::string("hollow/") + name));
    place.write(std::string("bad/") + name + "/1.png", "\x89PNG\r\n\x1a\nand no more");
  }
  place.write("hollow.yaml", "classes: 3\nchannels: 1\ntrain: {format: folder, images: hollow}\n");
  place.write("bad.yaml",
              "classes: 3\nchannels: 1\nsize: 8x8\ntrain: {format: folder, images: bad}\n");
  place.write("typo.yaml", "classes: 3\nchanels: 1\ntrain: {format: folder, images: bad}\n");
  place.write("recipe.yaml", "name: a\nmodel: net.onnx\ndata: data.yaml\nqat: {epoch: 1}\n");
  const RefusedCommand cases[] = {
      {"shape", "quantize @net.onnx --data @large.yaml -o @a.onnx", 2,
       "the images are 1x9x8, the network wants 1x8x8; set 'size' and 'channels' in the data "
       "description, or use other data"},
      {"shape, eval", "eval @net.onnx --data @large.yaml", 2,
       "the images are 1x9x8, the network wants 1x8x8; set 'size' and 'channels' in the data "
       "description, or use other data"},
      {"label", "quantize @net.onnx --data @wrong.yaml -o @a.onnx", 2,
       "wrong: image 23 has the label 3; wanted labels from 0 to 2 (classes: 3)"},
      {"empty", "quantize @net.onnx --data @none.yaml -o @a.onnx", 2,
       "none: the data set is empty (0x8x8)"},
      {"empty folder", "quantize @net.onnx --data @hollow.yaml -o @a.onnx", 2,
       "hollow: the data set is empty; wanted .jpg, .jpeg or .png files in one folder per class"},
      {"image", "quantize @net.onnx --data @bad.yaml -o @a.onnx", 2,
       "bad/a/1.png: the PNG image cannot be read: no[20]m: bad header (invalid type)"},
      {"no test part", "eval @net.onnx --data @bad.yaml", 2,
       "the data description has no 'test' images, which this needs; add 'test: {...}'"},
      {"missing description", "eval @net.onnx --data @nothing.yaml", 2,
       "cannot read nothing.yaml: No such file or directory"},
      {"unknown key", "eval @net.onnx --data @typo.yaml", 2,
       "typo.yaml:2: unknown key 'chanels'; did you mean 'channels'?"},
      {"unknown key of a recipe", "run @recipe.yaml --out @out", 2,
       "recipe.yaml:4: unknown key 'epoch' in 'qat'; did you mean 'epochs'?"},
      {"unknown key, train", "train @recipe.yaml --out @results", 2,
       "recipe.yaml:4: unknown key 'epoch' in 'qat'; did you mean 'epochs'?"},
  };
  for (const RefusedCommand& row : cases) expect_refused(place, row);
}

TEST(Program, NamesTheNodeThatMakesNoNumbers) {
  const Workplace place;
  auto model = test::onnx_model(R"(g (float[N, 1, 8, 8] x) => (float[N, 64] y)
      <float[1] bad = {1}> { [scaled] m = Mul(x, bad) r = Relu(m) y = Flatten(r) })");
  auto& bad = *model.mutable_graph()->mutable_initializer(0);
  bad.set_float_data(0, std::numeric_limits<float>::quiet_NaN());
  test::write_model(place.folder(), model, "nan.onnx");
  expect_refused(place,
                 {"NaN", "quantize @nan.onnx --data @data.yaml -o @a.onnx", 1,
                  "calibrate: node \"r\" (Relu): the value 'r' cannot be calibrated: element "
                  "0 of 64 is nan"});
}

TEST(Program, NamesOrSkipsTheImageThatMakesNoNumbers) {
  const Workplace place;
  std::string pixels(std::size_t{24} * 64, 'd');
  for (const std::size_t black : {5, 9, 17}) pixels[black * 64 + 40] = 0;
  place.write("images", idx_bytes({24, 8, 8}, pixels));
  test::write_model(place.folder(), test::onnx_model(R"(g (float[N, 1, 8, 8] x) => (float[N, 64] y)
      <float[1] c = {-0.1}> { a = Add(x, c) [root] b = Sqrt(a) y = Flatten(b) })"),
                    "roots.onnx");
  const char* command = "quantize @roots.onnx --data @data.yaml -o @a.onnx";
  expect_refused(place,
                 {"a bad image", command, 1,
                  "calibrate: images: image 17: node \"root\" (Sqrt): the value 'b' cannot be "
                  "calibrated: element 40 of 64 is nan; mend or remove the image, or go on without "
                  "it (--bad-images skip, in a recipe 'calibration: {bad_images: skip}')"});
  const auto made = run_octet(words(place, std::string(command) + " --bad-images skip"));
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_TRUE(place.without(made.out).contains(
      "note: an image was left out of the calibration: images: image 17: node \"root\" (Sqrt): the "
      "value 'b' cannot be calibrated: element 40 of 64 is nan\n"))
      << made.out;
}

TEST(Program, LeavesNothingOnAFullDisk) {
  const Workplace place;
  const std::set<std::string> before = place.files();
  for (const char* arguments : {"new resnet20 --input 1x8x8 --classes 3 -o @a.onnx",
                                "quantize @net.onnx --data @data.yaml -o @a.onnx",
                                "quantize @net.onnx --data @data.yaml -o @a.tflite"}) {
    std::vector<std::string> command = {
        "bash", "-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"", test::kProgram};
    for (std::string& word : words(place, arguments)) command.push_back(std::move(word));
    const auto ended = test::Program(command).wait();
    EXPECT_EQ(ended.status, 1) << arguments;
    EXPECT_TRUE(ended.err.contains("octet: cannot write ")) << ended.err;
    EXPECT_TRUE(ended.err.ends_with(" bytes): File too large\n")) << ended.err;
    EXPECT_EQ(place.files(), before) << arguments;
  }
}

TEST(Program, LeavesACheckpointAloneWhenInterrupted) {
  const Workplace place;
  place.write("recipe.yaml",
              "name: a\nmodel: net.onnx\ndata: data.yaml\nseed: 1\n"
              "train: {epochs: 10000, batch: 8}\n");
  const std::set<std::string> before = place.files();
  test::Program program(
      {test::kProgram, "train", place.file("recipe.yaml"), "--out", place.file(".")});
  ASSERT_TRUE(program.wait_for_error_text("train"));
  program.send(SIGINT);
  EXPECT_EQ(program.wait().status, 130);
  std::set<std::string> left = place.files();
  left.erase("train.checkpoint");
  EXPECT_EQ(left, before);
}

TEST(Program, TellsItsVersions) {
  const auto ended = run_octet({"--version"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.err, "");
  EXPECT_TRUE(ended.out.starts_with("octet ")) << ended.out;
  for (const char* name : {"LibTorch ", "ONNX Runtime ", "TFLite "}) {
    EXPECT_TRUE(ended.out.contains(name)) << ended.out;
  }
}

/// The last line of the text, without its end.
std::string last_line(const std::string& text) {
  const size_t end = text.empty() ? 0 : text.size() - 1;
  const size_t start = text.rfind('\n', end == 0 ? 0 : end - 1);
  return text.substr(start == std::string::npos ? 0 : start + 1, end - start - 1);
}

TEST(Program, QuantizesToBothFormatsAndEvaluatesThem) {
  const Workplace place;
  const auto made =
      run_octet({"quantize", place.file("net.onnx"), "--data", place.file("data.yaml"), "-o",
                 place.file("q.onnx"), "-o", place.file("q.tflite")});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_TRUE(place.without(made.out).ends_with("\nwrote q.onnx\nwrote q.tflite\n")) << made.out;
  EXPECT_TRUE(made.err.starts_with("calibrate: ")) << made.err;
  EXPECT_TRUE(last_line(made.err).starts_with("verify: ")) << made.err;

  struct Row {
    const char* file;
    const char* format;
    const char* arithmetic;
  };
  for (const Row& row :
       {Row{"net.onnx", "ONNX FP32", "float32"}, Row{"q.onnx", "ONNX INT8", "uint8"},
        Row{"q.tflite", "TFLite INT8", "int8"}}) {
    const auto ended = run_octet({"eval", place.file(row.file), "--data", place.file("data.yaml"),
                                  "--latency-runs", "5", "--json", place.file("figures.json")});
    EXPECT_EQ(ended.status, 0) << row.file << ": " << ended.err;
    EXPECT_TRUE(ended.out.starts_with(std::string(row.format) + "  ")) << ended.out;
    std::ifstream in(place.file("figures.json"));
    const auto figures = nlohmann::json::parse(in);
    EXPECT_EQ(figures.at("format"), row.format);
    EXPECT_EQ(figures.at("path"), place.file(row.file));
    EXPECT_EQ(figures.at("images"), 24);
    EXPECT_EQ(figures.at("size_bytes"), fs::file_size(place.file(row.file)));
    const double top1 = figures.at("top1");
    EXPECT_GE(top1, 0);
    EXPECT_LE(top1, 100);
    EXPECT_EQ(figures.at("top5"), 100.0) << "of three classes, all are among five";
    EXPECT_GT(figures.at("latency_ms"), 0);
    EXPECT_TRUE(ended.out.contains(std::format("top-1 {:.2f} %", top1))) << ended.out;

    const auto seen = run_octet({"inspect", place.file(row.file)});
    EXPECT_EQ(seen.status, 0) << row.file << ": " << seen.err;
    EXPECT_EQ(seen.err, "") << row.file;
    EXPECT_TRUE(seen.out.contains(row.arithmetic)) << seen.out;
    EXPECT_FALSE(seen.out.contains("still float")) << seen.out;
    EXPECT_FALSE(seen.out.contains("cannot be quantized")) << seen.out;
  }
}

}  // namespace
}  // namespace octet
