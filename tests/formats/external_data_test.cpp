#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <numeric>

#include "formats/onnx/onnx_file.h"
#include "support/error_of.h"
#include "support/onnx_model.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

namespace fs = std::filesystem;
using test::onnx_model;
using test::write_model;

constexpr const char* kSum =
    "g (float[N, 3] x) => (float[N, 3] y) <float[3] b = {1, 2, 3}> { y = Add(x, b) }";

void say(onnx::TensorProto& tensor, const char* key, const std::string& held) {
  auto& entry = *tensor.add_external_data();
  entry.set_key(key);
  entry.set_value(held);
}

void make_external(onnx::TensorProto& tensor, const std::string& location,
                   const std::string& offset = "0") {
  tensor.clear_float_data();
  tensor.clear_raw_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  say(tensor, "location", location);
  say(tensor, "offset", offset);
}

onnx::ModelProto small_model(const std::string& location, const std::string& offset = "0") {
  auto model = onnx_model(kSum);
  make_external(*model.mutable_graph()->mutable_initializer(0), location, offset);
  return model;
}

/// A tensor of float32, too large to stay in the message, in a file.
onnx::TensorProto large_tensor(const std::string& name, int64_t count, const std::string& location,
                               const std::string& offset) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(count);
  make_external(tensor, location, offset);
  return tensor;
}

std::vector<float> count_from(float first, size_t count) {
  std::vector<float> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

/// Writes the numbers at an offset; what is before it takes no place on the disk.
void write_at(const fs::path& path, int64_t offset, const std::vector<float>& numbers) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  if (!file) file.open(path, std::ios::binary | std::ios::out);
  file.seekp(offset);
  file.write(reinterpret_cast<const char*>(numbers.data()),
             static_cast<std::streamsize>(numbers.size() * sizeof(float)));
  ASSERT_TRUE(file.flush().good());
}

const Tensor& constant(const Graph& graph, std::string_view name) {
  return *graph.value(graph.find(name).value()).constant;
}

void expect_numbers(const Tensor& tensor, const std::vector<float>& wanted) {
  ASSERT_EQ(tensor.size(), static_cast<int64_t>(wanted.size()));
  EXPECT_TRUE(std::ranges::equal(tensor.as<float>(), wanted));
}

// --- reading -------------------------------------------------------------------------------------

TEST(ExternalData, ReadsBeyondTwoGigabytes) {
  constexpr int64_t kFar = int64_t{5} << 30;
  const auto first = count_from(1, 20000);
  const auto second = count_from(-7, 20000);
  const TempFolder folder;
  write_at(folder / "w.bin", 8, first);
  write_at(folder / "w.bin", kFar, second);
  auto model = onnx_model(
      "g (float[N, 20000] x) => (float[N, 20000] y) { t = Add(x, near) y = Mul(t, far) }");
  *model.mutable_graph()->add_initializer() = large_tensor("near", 20000, "w.bin", "8");
  *model.mutable_graph()->add_initializer() =
      large_tensor("far", 20000, "w.bin", std::to_string(kFar));
  const Graph graph = read_onnx(write_model(folder, model));
  expect_numbers(constant(graph, "near"), first);
  expect_numbers(constant(graph, "far"), second);
}

TEST(ExternalData, IsFollowedThroughTheConversionOfOldOpsets) {
  const auto numbers = count_from(0, 17000);
  const TempFolder folder;
  write_at(folder / "sub.bin", 0, numbers);
  auto model = onnx_model(R"(g (float[N, 17000] x) => (float[N, 17000] y) {
      a = Constant<value = float[1] {0}>()
      t = Add(x, w)  p = PRelu(t, slope)  u = Mul(p, inside)  s = Softmax<axis = 1>(u)
      y = Add(s, a) })",
                          11);
  *model.mutable_graph()->add_initializer() = large_tensor("w", 17000, "sub.bin", "0");
  *model.mutable_graph()->add_initializer() = large_tensor("slope", 17000, "sub.bin", "0");
  auto& inside = *model.mutable_graph()->add_initializer();
  inside = large_tensor("inside", 17000, "", "0");
  inside.clear_data_location();
  inside.clear_external_data();
  inside.set_raw_data(numbers.data(), numbers.size() * sizeof(float));
  auto& held = *model.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_t();
  held = large_tensor("", 17000, "sub.bin", "0");
  const Graph graph = read_onnx(write_model(folder, model));
  for (const char* name : {"w", "slope", "inside", "a"}) {
    expect_numbers(constant(graph, name), numbers);
  }
}

TEST(ExternalData, MayLieInSubfoldersAndBehindLinksThatStay) {
  const TempFolder folder;
  const float numbers[] = {4, 5, 6};
  folder.write("data/w.bin", {reinterpret_cast<const char*>(numbers), sizeof(numbers)});
  fs::create_symlink("data/w.bin", folder / "link.bin");
  for (const char* location : {"data/w.bin", "./data/../data/w.bin", "link.bin"}) {
    const Graph graph = read_onnx(write_model(folder, small_model(location)));
    expect_numbers(constant(graph, "b"), {4, 5, 6});
  }
}

// --- refusing ------------------------------------------------------------------------------------

struct RefusedData {
  const char* name;
  const char* location;
  const char* offset;
  const char* message;  ///< after "m.onnx: the tensor 'b': its external data "
};

TEST(ExternalData, IsRefusedWhereItDoesNotFit) {
  constexpr const char* kOutside =
      " lie outside the model's folder; wanted a relative path to a file inside it: copy the file "
      "there";
  const std::string above = std::string("'../x'") + kOutside;
  const std::string detour = std::string("'a/../../x'") + kOutside;
  const std::string absolute = std::string("'/etc/passwd'") + kOutside;
  const std::string linked = std::string("'link.bin'") + kOutside;
  const std::string linked_folder = std::string("'away/secret.bin'") + kOutside;
  const TempFolder outside;
  const TempFolder folder;
  fs::create_symlink(outside.write("secret.bin", "123456789012"), folder / "link.bin");
  fs::create_symlink(outside.path(), folder / "away");
  folder.write("short.bin", "12345678");
  folder.write("sub/file", "");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const RefusedData cases[] = {
      {"missing", "none.bin", "0", "'none.bin' are missing; copy the file into the model's folder"},
      {"short", "short.bin", "0",
       "'short.bin' end too early: the file has 8 bytes; wanted 12 from offset 0: copy or export "
       "it "
       "again"},
      {"past the end", "short.bin", "100",
       "'short.bin' end too early: the file has 8 bytes; wanted 12 from offset 100: copy or export "
       "it again"},
      {"largest offset", "short.bin", "9223372036854775807",
       "'short.bin' end too early: the file has 8 bytes; wanted 12 from offset "
       "9223372036854775807: copy or export it again"},
      {"offset overflows", "short.bin", "18446744073709551615",
       "'short.bin' have the offset '18446744073709551615'; wanted a number of bytes from 0 to "
       "9223372036854775807"},
      {"offset overflows more", "short.bin", "99999999999999999999999",
       "'short.bin' have the offset '99999999999999999999999'; wanted a number of bytes from 0 to "
       "9223372036854775807"},
      {"negative offset", "short.bin", "-4",
       "'short.bin' have the offset '-4'; wanted a number of bytes from 0 to 9223372036854775807"},
      {"offset is no number", "short.bin", "4k",
       "'short.bin' have the offset '4k'; wanted a number of bytes from 0 to 9223372036854775807"},
      {"above the folder", "../x", "0", above.c_str()},
      {"above by a detour", "a/../../x", "0", detour.c_str()},
      {"absolute", "/etc/passwd", "0", absolute.c_str()},
      {"a link that leaves", "link.bin", "0", linked.c_str()},
      {"a folder that leaves", "away/secret.bin", "0", linked_folder.c_str()},
      {"a folder", "sub", "0", "'sub' are not a file"},
      {"a pipe that nobody writes to", "pipe", "0", "'pipe' are not a file"},
      {"no location", "", "0", "name no file; wanted a 'location'"},
  };
  for (const RefusedData& row : cases) {
    const auto path = write_model(folder, small_model(row.location, row.offset));
    const Error error = error_of([&] { read_onnx(path); });
    EXPECT_EQ(error.code(), Code::Model) << row.name;
    EXPECT_EQ(folder.without(error.what()),
              std::string("m.onnx: the tensor 'b': its external data ") + row.message)
        << row.name;
  }
}

TEST(ExternalData, IsRefusedWhereItsLengthContradictsTheShape) {
  const TempFolder folder;
  folder.write("w.bin", "123456789012");
  auto model = small_model("w.bin");
  say(*model.mutable_graph()->mutable_initializer(0), "length", "8");
  const auto path = write_model(folder, model);
  EXPECT_EQ(
      folder.without(message_of([&] { read_onnx(path); })),
      "m.onnx: the tensor 'b': its external data 'w.bin' have the length 8; the tensor's shape "
      "and type want 12 bytes");
}

TEST(ExternalData, IsRefusedBeforeMemoryIsAskedFor) {
  const TempFolder folder;
  folder.write("w.bin", "123456789012");
  auto model = small_model("w.bin");
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  tensor.set_dims(0, int64_t{1} << 50);
  const auto path = write_model(folder, model);
  EXPECT_EQ(
      folder.without(message_of([&] { read_onnx(path); })),
      "m.onnx: the tensor 'b': its external data 'w.bin' end too early: the file has 12 bytes; "
      "wanted 4503599627370496 from offset 0: copy or export it again");
}

TEST(ExternalData, IsWhatAnOnnxFileAboveTwoGigabytesNeeds) {
  const TempFolder folder;
  fs::resize_file(folder.write("m.onnx", "x"), uintmax_t{3} << 30);
  const Error error = error_of([&] { read_onnx(folder / "m.onnx"); });
  EXPECT_EQ(error.code(), Code::Model);
  EXPECT_EQ(folder.without(error.what()),
            "m.onnx has 3221225472 bytes; an ONNX file holds less than 2 GiB: export the network "
            "with external data (onnx.save with save_as_external_data=True)");
}

}  // namespace
}  // namespace octet
