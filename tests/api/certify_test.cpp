#include "api/certify.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "pipeline/small_networks.h"
#include "support/error_of.h"

namespace octet {
namespace {

using namespace test;

QuantizedNetwork network_of(Quantized&& made) {
  return {.graph = std::move(made.graph),
          .placement = std::move(made.placement),
          .table = std::move(made.table),
          .log = {},
          .in_float = {},
          .targets = {"onnxruntime-cpu", "tflite"},
          .seed = 9};
}

const Split kParts{{0, 1, 2, 3, 4}, {5, 6, 7, 8, 9}};

std::optional<Certificate> write_certified(const QuantizedNetwork& network,
                                           const std::filesystem::path& file,
                                           VerificationSettings settings) {
  const DrawnImages images;
  const ProgressSink silent;
  write_file(file, quantized_file(network, file));
  return certify_or_remove(network, file, {images, kParts, settings, silent});
}

TEST(Certify, WritesFilesThatEqualTheirSimulation) {
  const QuantizedNetwork network = network_of(quantized(activated));
  const TempFolder folder;
  for (const char* name : {"n.onnx", "n.tflite"}) {
    const auto certificate = write_certified(network, folder / name, {.images = 3});
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->images, 3);
    EXPECT_EQ(certificate->file, folder / name);
    EXPECT_EQ(certificate->first_parting(), nullptr);
    EXPECT_EQ(certificate->same_as_simulated, 100);
    EXPECT_TRUE(std::filesystem::exists(folder / name));
  }
  EXPECT_FALSE(write_certified(network, folder / "m.onnx", {.images = 0}));
  EXPECT_TRUE(std::filesystem::exists(folder / "m.onnx"));
}

/// A simulation that is told not to round the input, which lies beyond its grid.
TEST(Certify, RemovesAFileThatPartsFromItsSimulation) {
  QuantizedNetwork network = network_of(quantized(cubic));
  const ValueId x = network.graph.inputs()[0];
  network.placement.exact[x] = true;
  const TempFolder folder;
  for (const char* name : {"n.onnx", "n.tflite"}) {
    const auto write = [&](std::optional<int64_t> limit) {
      return write_certified(network, folder / name, {3, limit});
    };
    const Error error = error_of([&] { write({}); });
    EXPECT_EQ(error.code(), Code::Runtime);
    const std::string message = folder.without(error.what());
    EXPECT_TRUE(message.starts_with(std::string(name) +
                                    " is not what its simulation computes: 'x' is the first value "
                                    "where they part: "))
        << message;
    EXPECT_TRUE(message.ends_with("'verification: {limit: N}'); the file is removed")) << message;
    EXPECT_FALSE(std::filesystem::exists(folder / name));
    EXPECT_TRUE(write(1000)) << "the limit allows it";
    EXPECT_TRUE(std::filesystem::exists(folder / name));
  }
}

TEST(Certify, ReadsBackTheNetworkThatWasWritten) {
  for (const NamedNetwork& row : kSmallNetworks) {
    SCOPED_TRACE(row.name);
    const QuantizedNetwork network = network_of(quantized(row.build));
    const TempFolder folder;
    write_file(folder / "n.octet", quantized_file(network, "n.octet"));
    const QuantizedNetwork read = read_quantized(folder / "n.octet");
    EXPECT_EQ(read.targets, network.targets);
    EXPECT_EQ(read.seed, 9u);
    EXPECT_EQ(read.placement.scheme, network.placement.scheme);
    EXPECT_EQ(read.placement.groups.size(), network.placement.groups.size());
    for (const char* name : {"n.onnx", "n.tflite", "n.octet"}) {
      EXPECT_EQ(quantized_file(read, name), quantized_file(network, name)) << name;
    }
    write_file(folder / "n.tflite", quantized_file(network, "n.tflite"));
    const Certificate certificate = certify(read, folder / "n.tflite", DrawnImages(), {1, 2}, {});
    EXPECT_EQ(certificate.first_parting(), nullptr);
  }
}

TEST(Certify, RefusesANetworkWithAnotherPlacement) {
  QuantizedNetwork network = network_of(quantized(cubic));
  const TempFolder folder;
  const auto message = [&] {
    write_file(folder / "n.octet", quantized_file(network, "n.octet"));
    const Error error = error_of([&] { read_quantized(folder / "n.octet"); });
    EXPECT_EQ(error.code(), Code::Model);
    return folder.without(error.what());
  };
  network.targets = {"toaster"};
  EXPECT_TRUE(message().starts_with("n.octet: unknown target 'toaster'; known are onnxruntime-cpu"))
      << message();
  network.targets = {"tflite"};
  network.table.erase(network.graph.inputs()[0]);
  EXPECT_EQ(
      message(),
      "n.octet: its table has no parameters of the value 'x': another octet wrote it; write it "
      "again");
  const QuantParams grid{.scale = {1.0F}, .zero_point = {0}};
  network = network_of(quantized(cubic));
  network.table.set(network.placement.absorbed.at(0), grid);
  EXPECT_EQ(message(),
            "n.octet: its table has parameters, which its targets have no use for, of the value "
            "'Conv_0': another octet wrote it; write it again");
}

TEST(Certify, ChoosesImagesThatAreHeldBack) {
  EXPECT_EQ(images_to_verify(kParts, 2), (std::vector<int64_t>{5, 6}));
  EXPECT_EQ(images_to_verify(kParts, 99), kParts.validation);
  EXPECT_EQ(images_to_verify({{3, 1, 2}, {}}, 2), (std::vector<int64_t>{3, 1}));
}

/// A node between integers in float: what comes after it is marked.
TEST(Certify, MarksWhatComesAfterFloat) {
  SmallNet small;
  const ValueId a = small.mixed(small.x);
  const ValueId odd = small.op("CumSum", {a, small.index(2)});
  small.graph.add_output(small.op("Flatten", {small.mixed(odd)}));
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  QuantizedNetwork network =
      network_of(Quantized(std::move(small.graph), {"onnxruntime-cpu"}, data.as<float>(), 8));
  network.in_float = lines_in_float(network.graph, network.placement);
  ASSERT_EQ(network.in_float.size(), 1u);
  const TempFolder folder;
  const auto certificate = write_certified(network, folder / "n.onnx", {.images = 4});
  ASSERT_TRUE(certificate);
  std::vector<bool> after;
  for (const CheckedTensor& tensor : certificate->tensors) after.push_back(tensor.after_float);
  EXPECT_EQ(after, (std::vector<bool>{false, false, true, true, true}));
}

}  // namespace
}  // namespace octet
