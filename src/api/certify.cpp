#include "api/certify.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "api/deployment.h"
#include "api/foreign.h"
#include "base/fail.h"
#include "base/text.h"
#include "eval/comparison.h"
#include "formats/onnx/network_file.h"
#include "formats/onnx/onnx_file.h"
#include "formats/tflite/writer.h"
#include "quant/target.h"
#include "runtime/look.h"

namespace octet {
namespace {

/// The placement quantizes the values that the table has entries for, and no others.
void check_table(const QuantizedNetwork& network, const std::filesystem::path& path) {
  const auto differ = [&](ValueId id, const char* what) {
    fail(Code::Model, "{}: its table has {} the value '{}': another octet wrote it; write it again",
         path.string(), what, network.graph.value(id).name);
  };
  for (const auto& [id, group] : network.placement.group_of) {
    if (!network.table.find(id)) differ(id, "no parameters of");
  }
  for (const auto& [id, params] : network.table.values()) {
    if (network.placement.group_of.contains(id)) continue;
    differ(id, "parameters, which its targets have no use for, of");
  }
}

/// Values that a node in float comes before.
std::set<ValueId> after_float(const QuantizedNetwork& network) {
  std::set<ValueId> found;
  for (const NodeId id : network.graph.order()) {
    const Node& node = network.graph.node(id);
    const bool touched =
        network.placement.in_float.contains(id) ||
        std::ranges::any_of(node.inputs, [&](ValueId in) { return found.contains(in); });
    if (touched) found.insert(node.outputs.begin(), node.outputs.end());
  }
  return found;
}

double percent(int64_t part, int64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::vector<HeldValue> held_by(const std::filesystem::path& file, const QuantizedNetwork& network) {
  const bool onnx = file.extension() == ".onnx";
  return (onnx ? held_by_onnx : held_by_tflite)(network.graph, network.table, network.form);
}

const Dialect& dialect_of(const std::filesystem::path& file) {
  return file.extension() == ".onnx" ? onnxruntime_dialect() : tflite_dialect();
}

/// Its errors about the file name it.
template <class Work>
auto about(const std::filesystem::path& file, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.code() != Code::Model) throw;
    fail(Code::Model, "{}: {}", file.string(), error.what());
  }
}

CheckedTensor checked(const ValueComparison& value) {
  return {.name = {},
          .elements = value.elements,
          .differing = value.differing,
          .largest = value.largest,
          .deployed = value.deployed,
          .simulated = value.simulated,
          .sqnr = value.sqnr()};
}

}  // namespace

QuantizedNetwork read_quantized(const std::filesystem::path& path) {
  run_foreign_nodes();
  NetworkFile file = read_network_file(path);
  QuantizedNetwork network{.graph = std::move(file.graph),
                           .placement = {},
                           .table = std::move(file.table),
                           .log = {},
                           .in_float = {},
                           .targets = {},
                           .form = {},
                           .ends = {}};
  const std::string seed = file.properties["octet.seed"];
  std::from_chars(seed.data(), seed.data() + seed.size(), network.seed);
  const Deployment deployment = deployment_in(file.properties, path);
  network.targets = deployment.targets.names();
  network.form = deployment.form;
  network.prepared = file.properties["octet.prepared"];
  try {
    network.placement = place(network.graph, deployment.targets, deployment.scheme, {},
                              deployment.overrides, deployment.form.io);
    network.overrides = deployment.overrides;
  } catch (const Error& error) {
    fail(Code::Model, "{}: {}", path.string(), error.what());
  }
  check_table(network, path);
  network.in_float = lines_in_float(network.graph, network.placement);
  return network;
}

std::vector<int64_t> images_to_verify(const Split& parts, int64_t count) {
  const std::vector<int64_t>& from = parts.validation.empty() ? parts.train : parts.validation;
  const auto taken = std::min<std::ptrdiff_t>(count, std::ssize(from));
  return {from.begin(), from.begin() + taken};
}

Certificate certify(const QuantizedNetwork& network, const std::filesystem::path& file,
                    const Dataset& dataset, std::vector<int64_t> images,
                    const ProgressSink& progress) {
  const auto look = look_into(file, held_by(file, network));
  const Compared compared{.graph = network.graph,
                          .placement = network.placement,
                          .table = network.table,
                          .dialect = dialect_of(file),
                          .dataset = dataset,
                          .images = std::move(images)};
  const SideBySide found = about(file, [&] { return compare_values(*look, compared, progress); });
  Certificate certificate{
      .file = file.string(), .runtime = look->runtime(), .in_float = network.in_float};
  const std::set<ValueId> behind_float = after_float(network);
  for (const ValueComparison& value : found.values) {
    certificate.tensors.push_back(checked(value));
    certificate.tensors.back().name = network.graph.value(value.value).name;
    certificate.tensors.back().after_float = behind_float.contains(value.value);
  }
  certificate.images = found.images;
  certificate.same_as_simulated = percent(found.same_as_simulated, found.images);
  certificate.same_as_float = percent(found.same_as_float, found.images);
  return certificate;
}

namespace {

/// A dialect knows what the file's target computes here.
bool is_simulated(const QuantizedNetwork& network, const std::filesystem::path& file) {
  return std::ranges::none_of(network.targets, [&](const std::string& name) {
    const TargetProfile& target = target_named(name);
    return target.extension == file.extension() && !target.simulated;
  });
}

}  // namespace

std::optional<Certificate> certify_or_remove(const QuantizedNetwork& network,
                                             const std::filesystem::path& file,
                                             const Verification& verification) {
  const VerificationSettings& settings = verification.settings;
  if (settings.images == 0 || !is_simulated(network, file)) return std::nullopt;
  try {
    Certificate certificate =
        certify(network, file, verification.dataset,
                images_to_verify(verification.parts, settings.images), verification.progress);
    certificate.limit = settings.limit;
    const std::string refusal = certificate.refusal();
    if (!refusal.empty()) fail(Code::Runtime, "{}; the file is removed", refusal);
    return certificate;
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    throw;
  }
}

}  // namespace octet
