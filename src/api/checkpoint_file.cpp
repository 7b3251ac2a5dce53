#include "api/checkpoint_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "base/digest.h"
#include "base/fail.h"
#include "base/file.h"

namespace octet {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kCheckpointFormat = "octet checkpoint";
constexpr std::string_view kCheckpointVersion = "1";
constexpr size_t kDigits = 16;  // of the checksum

constexpr std::array<std::pair<DType, std::string_view>, 5> kTypeNames{{{DType::Float32, "F32"},
                                                                        {DType::Int32, "I32"},
                                                                        {DType::Int64, "I64"},
                                                                        {DType::UInt8, "U8"},
                                                                        {DType::Int8, "I8"}}};

std::string_view type_name(DType type) {
  const auto it = std::ranges::find(kTypeNames, type, &std::pair<DType, std::string_view>::first);
  if (it == kTypeNames.end()) fail(Code::Usage, "checkpoints hold no {}", name_of(type));
  return it->second;
}

OrderedJson state_of(const Checkpoint& checkpoint) {
  OrderedJson epochs = OrderedJson::array();
  for (const Epoch& epoch : checkpoint.epochs) {
    epochs.push_back({epoch.number, epoch.loss, epoch.validation});
  }
  return {{"epoch", checkpoint.epoch},       {"batches", checkpoint.batches},
          {"loss", checkpoint.loss},         {"best", checkpoint.best},
          {"finished", checkpoint.finished}, {"epochs", std::move(epochs)}};
}

Checkpoint to_checkpoint(const OrderedJson& state) {
  Checkpoint checkpoint{.epoch = state.at("epoch").get<int64_t>(),
                        .batches = state.at("batches").get<int64_t>(),
                        .loss = state.at("loss").get<double>(),
                        .epochs = {},
                        .best = state.at("best").get<int64_t>(),
                        .finished = state.at("finished").get<bool>(),
                        .tensors = {}};
  for (const OrderedJson& epoch : state.at("epochs")) {
    checkpoint.epochs.push_back(
        {epoch.at(0).get<int64_t>(), epoch.at(1).get<double>(), epoch.at(2).get<double>()});
  }
  return checkpoint;
}

OrderedJson row(std::string_view type, const Shape& shape, size_t begin, size_t end) {
  return {{"dtype", type}, {"shape", shape}, {"data_offsets", {begin, end}}};
}

[[noreturn]] void refuse_damaged(const std::filesystem::path& path) {
  fail(Code::Data,
       "{} is no checkpoint, or a damaged one; take it away, or begin anew without --resume",
       path.string());
}

/// The parts of a file whose checksum is right.
struct CheckedFile {
  std::vector<std::byte> bytes;
  OrderedJson header;
  size_t data = 0;  ///< where the tensors begin

  OrderedJson metadata(const char* name) const {
    return OrderedJson::parse(header.at("__metadata__").at(name).get<std::string>());
  }
};

CheckedFile read_checked(const std::filesystem::path& path) {
  CheckedFile file;
  file.bytes = read_file(path, Code::Data);
  uint64_t length = 0;
  if (file.bytes.size() < sizeof length + kDigits) refuse_damaged(path);
  std::memcpy(&length, file.bytes.data(), sizeof length);
  if (length > file.bytes.size() - sizeof length - kDigits) refuse_damaged(path);
  file.data = sizeof length + length;
  const char* const text = reinterpret_cast<const char*>(file.bytes.data());
  file.header = OrderedJson::parse(text + sizeof length, text + file.data, nullptr,
                                   /*allow_exceptions=*/false);
  const OrderedJson metadata =
      file.header.is_object() ? file.header.value("__metadata__", OrderedJson()) : OrderedJson();
  if (!metadata.is_object() || metadata.value("format", "") != kCheckpointFormat) {
    refuse_damaged(path);
  }
  const std::span body = std::span(file.bytes).first(file.bytes.size() - kDigits);
  if (digest(body) != std::string_view(text + body.size(), kDigits)) refuse_damaged(path);
  if (const auto version = metadata.value("version", ""); version != kCheckpointVersion) {
    fail(Code::Data,
         "{} is a checkpoint of version {}; wanted version {}: go on with the octet that wrote it, "
         "or begin anew without --resume",
         path.string(), version, kCheckpointVersion);
  }
  return file;
}

/// What `read` makes of the file; what it does not find is the file's fault.
template <class Read>
auto reading_checkpoint(const std::filesystem::path& path, Read read) {
  try {
    return read(read_checked(path));
  } catch (const OrderedJson::exception&) {
    refuse_damaged(path);
  }
}

Tensor to_tensor(const CheckedFile& file, const OrderedJson& entry,
                 const std::filesystem::path& path) {
  const auto name = entry.at("dtype").get<std::string>();
  const auto type =
      std::ranges::find(kTypeNames, name, &std::pair<DType, std::string_view>::second);
  const auto begin = entry.at("data_offsets").at(0).get<size_t>();
  const auto end = entry.at("data_offsets").at(1).get<size_t>();
  if (type == kTypeNames.end()) refuse_damaged(path);
  Tensor tensor(type->first, entry.at("shape").get<Shape>());
  if (begin > end || end > file.bytes.size() - file.data || end - begin != tensor.bytes.size()) {
    refuse_damaged(path);
  }
  std::memcpy(tensor.bytes.data(), file.bytes.data() + file.data + begin, tensor.bytes.size());
  return tensor;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                      const TrainingIdentity& identity) {
  OrderedJson made_from = OrderedJson::object();
  for (const auto& [name, value] : identity) made_from[name] = value;
  OrderedJson header;
  header["__metadata__"] = {{"format", kCheckpointFormat},
                            {"version", kCheckpointVersion},
                            {"identity", made_from.dump()},
                            {"state", state_of(checkpoint).dump()}};
  size_t size = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    header[name] = row(type_name(tensor.dtype), tensor.shape, size, size + tensor.bytes.size());
    size += tensor.bytes.size();
  }
  header["checksum"] = row("U8", {kDigits}, size, size + kDigits);
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors begin at a multiple of 8

  const uint64_t length = text.size();
  std::vector<std::byte> bytes(sizeof length + text.size());
  bytes.reserve(bytes.size() + size + kDigits);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, text.data(), text.size());
  for (const auto& [name, tensor] : checkpoint.tensors) bytes.append_range(tensor.bytes);
  const std::string checksum = digest(bytes);
  bytes.append_range(std::as_bytes(std::span(checksum)));
  write_file(path, bytes);
}

Checkpoint read_checkpoint(const std::filesystem::path& path, const TrainingIdentity& identity) {
  return reading_checkpoint(path, [&](const CheckedFile& file) {
    const OrderedJson made_from = file.metadata("identity");
    for (const auto& [name, value] : identity) {
      const auto other = made_from.value(name, std::string());
      if (other == value) continue;
      fail(Code::Usage,
           "{} is of another training: its {} is '{}', here it is '{}'; give what it was made "
           "with, or begin anew without --resume",
           path.string(), name, other, value);
    }
    Checkpoint checkpoint = to_checkpoint(file.metadata("state"));
    for (const auto& [name, entry] : file.header.items()) {
      if (name == "__metadata__" || name == "checksum") continue;
      checkpoint.tensors.emplace(name, to_tensor(file, entry, path));
    }
    return checkpoint;
  });
}

std::string checkpoint_text(const std::filesystem::path& path) {
  return reading_checkpoint(path, [&](const CheckedFile& file) {
    const Checkpoint state = to_checkpoint(file.metadata("state"));
    if (state.finished) return std::format("finished after epoch {}", state.epoch);
    return std::format("epoch {}, {} batches", state.epoch + 1, state.batches);
  });
}

}  // namespace octet
