#include "runtime/look.h"

#include <gtest/gtest.h>

#include <set>

#include "formats/onnx/exposed_file.h"
#include "pipeline/small_networks.h"
#include "runtime/onnxruntime_operators.h"
#include "support/error_of.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace octet {
namespace {

using namespace test;

/// Operators by name and arithmetic. Transposes do not count: an integer that is looked at comes
/// out with its channels first, where ONNX Runtime keeps them last inside.
std::multiset<std::string> computing(const std::filesystem::path& file) {
  std::multiset<std::string> found;
  for (const OperatorUse& use : executed_operators(file)) {
    if (use.name != "Transpose") found.insert(use.name + " " + use.arithmetic);
  }
  return found;
}

TEST(Look, LeavesOnnxRuntimesFusionAsItIs) {
  for (const NamedNetwork& row : kSmallNetworks) {
    SCOPED_TRACE(row.name);
    const Quantized network = quantized(row.build);
    const TempFolder folder;
    write_file(folder / "n.onnx", write_onnx(network.graph, network.table));
    std::vector<std::string> tensors;
    for (const HeldValue& held : held_by_onnx(network.graph, network.table)) {
      tensors.push_back(held.tensor);
    }
    write_file(folder / "exposed.onnx", expose_tensors(folder / "n.onnx", tensors));
    const auto plain = computing(folder / "n.onnx");
    EXPECT_GT(plain.size(), 3u);
    EXPECT_EQ(computing(folder / "exposed.onnx"), plain);
  }
}

std::unique_ptr<Look> look_into_both(const Quantized& network, const TempFolder& folder,
                                     bool onnx) {
  const auto path = folder / (onnx ? "n.onnx" : "n.tflite");
  write_file(path, onnx ? write_onnx(network.graph, network.table)
                        : write_tflite(network.graph, network.table));
  return look_into(path, onnx ? held_by_onnx(network.graph, network.table)
                              : held_by_tflite(network.graph, network.table));
}

TEST(Look, SeesTheIntegersOfTheInputInTheGraphsOrder) {
  const Quantized network = quantized(cubic);
  const Tensor images = random_tensor({2, 3, 6, 6}, 8, -3, 3);
  const ValueId x = network.graph.inputs()[0];
  const Tensor wanted = quantize(images, network.table.at(x, network.graph));
  for (const bool onnx : {true, false}) {
    const TempFolder folder;
    const auto look = look_into_both(network, folder, onnx);
    EXPECT_EQ(look->image_shape(), (onnx ? Shape{3, 6, 6} : Shape{6, 6, 3}));
    const std::vector<float> given(images.as<float>().begin(), images.as<float>().end());
    std::vector<int> got;
    for (const Seen& seen : look->run(onnx ? given : moved_last(given, 3, 36), 2)) {
      const auto input = std::ranges::find(seen.values, x, &SeenValue::value);
      ASSERT_NE(input, seen.values.end());
      EXPECT_EQ(input->integers.shape, (Shape{seen.images, 3, 6, 6}));
      for (const std::byte byte : input->integers.bytes) {
        got.push_back(onnx ? static_cast<int>(byte) - 128
                           : static_cast<int>(static_cast<int8_t>(byte)));
      }
    }
    EXPECT_EQ(got, std::vector<int>(wanted.as<int8_t>().begin(), wanted.as<int8_t>().end()))
        << (onnx ? "ONNX" : "TFLite");
  }
}

TEST(Look, GivesTheLogitsOfTheFile) {
  const Quantized network = quantized(activated);
  const Tensor images = random_tensor({3, 3, 6, 6}, 8, -3, 3);
  for (const bool onnx : {true, false}) {
    const TempFolder folder;
    const auto look = look_into_both(network, folder, onnx);
    const std::vector<float> given(images.as<float>().begin(), images.as<float>().end());
    const std::vector<float> laid = onnx ? given : moved_last(given, 3, 36);
    std::vector<float> logits;
    for (const Seen& seen : look->run(laid, 3)) {
      logits.insert(logits.end(), seen.logits.begin(), seen.logits.end());
    }
    EXPECT_EQ(logits, open_session(folder / (onnx ? "n.onnx" : "n.tflite"), 1)->run(laid, 3));
  }
}

TEST(Look, RefusesFilesOfAnotherKind) {
  const TempFolder folder;
  folder.write("text.tflite", "this is not a network");
  folder.write("text.onnx", "this is not a network");
  const Quantized network = quantized(cubic);
  for (const char* name : {"n.onnx", "n.tflite"}) {
    write_file(folder / name, std::string_view(name).ends_with("onnx")
                                  ? write_onnx(network.graph, network.table)
                                  : write_tflite(network.graph, network.table));
  }
  std::filesystem::copy_file(folder / "n.tflite", folder / "cut.tflite");
  std::filesystem::resize_file(folder / "cut.tflite", 900);
  struct Case {
    const char* file;
    Code code;
    const char* message;
  };
  const Case cases[] = {
      {"n.txt", Code::Usage,
       "n.txt: which runtime computes this file is told by its extension; wanted .onnx or "
       ".tflite"},
      {"none.onnx", Code::Model, "cannot read none.onnx: No such file or directory"},
      {"none.tflite", Code::Model, "cannot read none.tflite: No such file or directory"},
      {"text.onnx", Code::Model,
       "text.onnx is not an ONNX file, or a truncated one; copy or export it again"},
      {"text.tflite", Code::Model,
       "text.tflite is not a TFLite file: The model is not a valid Flatbuffer buffer"},
      {"cut.tflite", Code::Model,
       "cut.tflite is not a TFLite file: The model is not a valid Flatbuffer buffer"},
      {"n.onnx", Code::Model,
       "n.onnx has no tensor 'other', which the network has: it is the file of another network; "
       "give the network that it was made from"},
      {"n.tflite", Code::Model,
       "n.tflite has no tensor 'other', which the network has: it is the file of another network; "
       "give the network that it was made from"},
  };
  for (const Case& row : cases) {
    const Error error =
        error_of([&] { look_into(folder / row.file, {{.value = 0, .tensor = "other"}}); });
    EXPECT_EQ(error.code(), row.code) << row.file;
    EXPECT_EQ(folder.without(error.what()), row.message);
  }
}

/// TFLite checks what its kernels can compute by aborting.
TEST(Look, SurvivesFilesThatEndTheProcess) {
  const Quantized network = quantized(activated);
  const auto bytes = write_tflite(network.graph, network.table);
  const std::unique_ptr<tflite::ModelT> model(tflite::UnPackModel(bytes.data()));
  tflite::SubGraphT& graph = *model->subgraphs[0];
  for (const auto& op : graph.operators) {
    const auto code = model->operator_codes[op->opcode_index]->builtin_code;
    if (code != tflite::BuiltinOperator_ADD) continue;
    // The sum would need a multiplier above one.
    graph.tensors[static_cast<size_t>(op->outputs[0])]->quantization->scale[0] *= 0x1p-40F;
  }
  flatbuffers::FlatBufferBuilder builder;
  tflite::FinishModelBuffer(builder, tflite::CreateModel(builder, model.get()));
  const TempFolder folder;
  write_file(folder / "odd.tflite",
             std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())));
  const Error error = error_of([&] {
    const auto look =
        look_into(folder / "odd.tflite", held_by_tflite(network.graph, network.table));
    look->run(std::vector<float>(108, 1.0F), 1);
  });
  EXPECT_EQ(error.code(), Code::Runtime);
  EXPECT_EQ(folder.without(error.what()), "odd.tflite: TFLite ended by signal 6 (Aborted)");
}

}  // namespace
}  // namespace octet
