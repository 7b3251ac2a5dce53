#include "graph/fingerprint.h"

#include <bit>
#include <cstring>
#include <format>
#include <set>
#include <span>

namespace octet {
namespace {

/// G. Fowler, L. C. Noll, K.-P. Vo, "The FNV Non-Cryptographic Hash Algorithm"; by words of eight
/// bytes, and folded after each, so that high bits reach low ones.
class Fingerprint {
 public:
  void add(uint64_t word) {
    hash_ = (hash_ ^ word) * 0x100000001B3;
    hash_ ^= hash_ >> 29;
  }
  void add(std::span<const std::byte> bytes) {
    add(bytes.size());
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), sizeof(uint64_t)))) {
      uint64_t word = 0;
      std::memcpy(&word, bytes.data(), std::min(bytes.size(), sizeof word));
      add(word);
    }
  }
  void add(const std::string& text) { add(std::as_bytes(std::span(text))); }
  void add(float number) { add(uint64_t{std::bit_cast<uint32_t>(number)}); }
  void add(int64_t number) { add(static_cast<uint64_t>(number)); }
  template <class T>
  void add(const std::vector<T>& list) {
    add(uint64_t{list.size()});
    for (const T& item : list) add(item);
  }
  void add(const Tensor& tensor) {
    add(static_cast<uint64_t>(tensor.dtype));
    add(tensor.shape);
    add(std::span<const std::byte>(tensor.bytes));
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xCBF29CE484222325;
};

}  // namespace

std::string fingerprint(const Graph& graph) {
  Fingerprint print;
  std::set<ValueId> constants;
  const auto add_value = [&](ValueId id) {
    if (id == kAbsent) return print.add(uint64_t{0});
    const Value& value = graph.value(id);
    print.add(value.name);
    if (value.constant && constants.insert(id).second) print.add(*value.constant);
  };
  for (const ValueId id : graph.inputs()) {
    add_value(id);
    print.add(graph.value(id).shape);
  }
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    print.add(node.op);
    for (const ValueId in : node.inputs) add_value(in);
    for (const ValueId out : node.outputs) add_value(out);
    for (const auto& [name, attribute] : node.attributes) {
      print.add(name);
      std::visit([&](const auto& held) { print.add(held); }, attribute);
    }
  }
  for (const ValueId id : graph.outputs()) add_value(id);
  return std::format("{:016x}", print.value());
}

}  // namespace octet
