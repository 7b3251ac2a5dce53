#include "formats/onnx/external_data.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <format>
#include <optional>
#include <string>
#include <system_error>

#include "base/fail.h"
#include "base/file_reader.h"

namespace octet {
namespace {

namespace fs = std::filesystem;

/// The entry of the tensor's external data with this key.
const std::string* entry(const onnx::TensorProto& tensor, std::string_view key) {
  for (const auto& held : tensor.external_data()) {
    if (held.key() == key) return &held.value();
  }
  return nullptr;
}

/// "the tensor 'w': its external data 'w.bin'".
std::string named(const onnx::TensorProto& tensor) {
  const std::string* location = entry(tensor, "location");
  return std::format("the tensor '{}': its external data '{}'", tensor.name(),
                     location ? *location : "");
}

std::optional<uint64_t> number(const onnx::TensorProto& tensor, std::string_view key) {
  const std::string* text = entry(tensor, key);
  if (!text) return std::nullopt;
  uint64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto [next, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc{} || next != end || value > INT64_MAX) {
    fail(Code::Model, "{} have the {} '{}'; wanted a number of bytes from 0 to {}", named(tensor),
         key, *text, INT64_MAX);
  }
  return value;
}

/// The file, all links followed.
fs::path locate(const onnx::TensorProto& tensor, const fs::path& folder) {
  const std::string* location = entry(tensor, "location");
  if (!location || location->empty() || location->contains('\0')) {
    fail(Code::Model, "the tensor '{}': its external data name no file; wanted a 'location'",
         tensor.name());
  }
  std::error_code error;
  const fs::path root = fs::canonical(folder.empty() ? "." : folder, error);
  const fs::path path = fs::weakly_canonical(root / *location, error);
  if (error) fail(Code::Model, "{} cannot be found: {}", named(tensor), error.message());
  const bool inside = std::ranges::mismatch(root, path).in1 == root.end();
  if (fs::path(*location).is_absolute() || !inside) {
    fail(Code::Model,
         "{} lie outside the model's folder; wanted a relative path to a file inside it: copy the "
         "file there",
         named(tensor));
  }
  if (!fs::exists(path, error)) {
    fail(Code::Model, "{} are missing; copy the file into the model's folder", named(tensor));
  }
  if (!fs::is_regular_file(path, error)) fail(Code::Model, "{} are not a file", named(tensor));
  return path;
}

}  // namespace

ExternalData::ExternalData(const onnx::TensorProto& tensor, const fs::path& folder, uint64_t wanted)
    : path_(locate(tensor, folder)), offset_(number(tensor, "offset").value_or(0)) {
  const uint64_t length = number(tensor, "length").value_or(wanted);
  if (length != wanted) {
    fail(Code::Model, "{} have the length {}; the tensor's shape and type want {} bytes",
         named(tensor), length, wanted);
  }
  std::error_code error;
  const uint64_t size = fs::file_size(path_, error);
  if (error || size < offset_ || size - offset_ < wanted) {
    fail(Code::Model,
         "{} end too early: the file has {} bytes; wanted {} from offset {}: copy or export it "
         "again",
         named(tensor), error ? 0 : size, wanted, offset_);
  }
}

void ExternalData::read(std::span<std::byte> out) const {
  if (FileReader(path_, Code::Io).read(offset_, out) != out.size()) {
    fail(Code::Io, "cannot read {}: it became shorter meanwhile", path_.string());
  }
}

}  // namespace octet
