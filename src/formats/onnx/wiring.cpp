#include "formats/onnx/wiring.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <format>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

std::string named(const onnx::NodeProto& node) {
  const bool nameless = node.name().empty() && node.output_size() > 0;
  return std::format("node \"{}\" ({})", nameless ? node.output(0) : node.name(), node.op_type());
}

class Wiring {
 public:
  explicit Wiring(onnx::GraphProto& graph) : graph_(graph) {}

  void check() {
    collect_given();
    for (int i = 0; i < graph_.node_size(); ++i) {
      for (const auto& output : graph_.node(i).output()) {
        if (!output.empty()) note(output, i);
      }
    }
    for (const auto& node : graph_.node()) check_inputs(node);
    for (const auto& output : graph_.output()) check_output(output.name());
  }

  void sort() {
    const std::vector<int> order = sorted();
    if (static_cast<int>(order.size()) < graph_.node_size()) refuse_cycle(order);
    if (std::ranges::is_sorted(order)) return;
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    for (const int i : order) nodes.Add()->Swap(graph_.mutable_node(i));
    graph_.mutable_node()->Swap(&nodes);
  }

 private:
  static constexpr int kGiven = -1;  ///< the maker of inputs and initializers

  void collect_given() {
    for (const auto& input : graph_.input()) note(input.name(), kGiven);
    std::map<std::string_view, bool> seen;
    for (const auto& tensor : graph_.initializer()) {
      if (!seen.emplace(tensor.name(), true).second) {
        fail(Code::Model, "two initializers have the name '{}'; wanted one", tensor.name());
      }
      makers_.emplace(tensor.name(), kGiven);  // the inputs of old files name them too
    }
    for (const auto& tensor : graph_.sparse_initializer()) {
      makers_.emplace(tensor.values().name(), kGiven);
    }
  }

  void note(const std::string& value, int maker) {
    const auto [it, added] = makers_.emplace(value, maker);
    if (added) return;
    const auto described = [&](int node) {
      return node == kGiven ? "as an input or initializer" : "by " + named(graph_.node(node));
    };
    fail(Code::Model, "the value '{}' is made twice: {} and {}; wanted one maker", value,
         described(it->second), described(maker));
  }

  void check_inputs(const onnx::NodeProto& node) const {
    for (const auto& input : node.input()) {
      if (input.empty() || makers_.contains(input)) continue;
      fail(Code::Model,
           "{}: its input '{}' is made by no node, and is neither an input nor an initializer of "
           "the graph{}; export the network with its weights",
           named(node), input, hint(input));
    }
  }

  void check_output(const std::string& output) const {
    if (makers_.contains(output)) return;
    fail(Code::Model, "the graph output '{}' is made by no node{}; export the network again",
         output, hint(output));
  }

  std::string hint(const std::string& value) const {
    std::vector<std::string> known;
    for (const auto& [name, maker] : makers_) known.emplace_back(name);
    const std::string near = nearest(value, known);
    return near.empty() ? "" : std::format(" (there is a '{}')", near);
  }

  int maker(const std::string& value) const { return value.empty() ? kGiven : makers_.at(value); }

  /// The nodes in topological order, stable: after their makers and otherwise as they stand. Those
  /// in or behind a cycle are missing.
  std::vector<int> sorted() const {
    const auto count = static_cast<size_t>(graph_.node_size());
    std::vector<int> waits(count, 0);
    std::vector<std::vector<int>> readers(count);
    for (int i = 0; i < graph_.node_size(); ++i) {
      for (const auto& input : graph_.node(i).input()) {
        if (maker(input) == kGiven) continue;
        ++waits[static_cast<size_t>(i)];
        readers[static_cast<size_t>(maker(input))].push_back(i);
      }
    }
    std::vector<int> ready;  // a heap, the first in the file on top
    const auto push = [&](int i) {
      ready.push_back(i);
      std::ranges::push_heap(ready, std::greater{});
    };
    for (int i = 0; i < graph_.node_size(); ++i) {
      if (waits[static_cast<size_t>(i)] == 0) push(i);
    }
    std::vector<int> order;
    while (!ready.empty()) {
      std::ranges::pop_heap(ready, std::greater{});
      order.push_back(ready.back());
      ready.pop_back();
      for (const int reader : readers[static_cast<size_t>(order.back())]) {
        if (--waits[static_cast<size_t>(reader)] == 0) push(reader);
      }
    }
    return order;
  }

  /// Walks from a node that was not sorted to one of its makers that was not, until one comes back.
  [[noreturn]] void refuse_cycle(const std::vector<int>& order) const {
    std::vector<bool> done(static_cast<size_t>(graph_.node_size()), false);
    for (const int i : order) done[static_cast<size_t>(i)] = true;
    const auto stuck = [&](const std::string& value) {
      return maker(value) != kGiven && !done[static_cast<size_t>(maker(value))];
    };
    std::vector<int> path{static_cast<int>(std::ranges::find(done, false) - done.begin())};
    while (true) {
      const auto& inputs = graph_.node(path.back()).input();
      const std::string& input = *std::ranges::find_if(inputs, stuck);
      const auto before = std::ranges::find(path, maker(input));
      if (before == path.end()) {
        path.push_back(maker(input));
        continue;
      }
      fail(Code::Model,
           "the graph has a cycle of length {}: {} needs its own output, by its input '{}'; wanted "
           "none: export the network without the loop",
           path.end() - before, named(graph_.node(path.back())), input);
    }
  }

  onnx::GraphProto& graph_;
  std::map<std::string, int, std::less<>> makers_;  ///< the node that makes the value
};

}  // namespace

void check_wiring(onnx::GraphProto& graph) {
  Wiring wiring(graph);
  wiring.check();
  wiring.sort();
}

}  // namespace octet
