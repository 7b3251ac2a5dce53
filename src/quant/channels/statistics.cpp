#include "quant/channels/statistics.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "engine/executor.h"

namespace octet {
namespace {

/// Runs the images through the network; `each` sees the outputs of every batch.
template <class F>
void run_images(const Graph& graph, const NextImages& next, Interpretation& interpretation,
                F each) {
  const at::NoGradGuard no_grad;
  Executor executor(graph);
  std::vector<float> images;
  int64_t seen = 0;
  while (const int64_t count = next(images)) {
    seen += count;
    Shape shape = graph.value(graph.inputs().at(0)).shape;
    shape.at(0) = count;
    const at::Tensor batch = at::from_blob(images.data(), shape, at::kFloat);
    each(executor.run({&batch, 1}, interpretation));
  }
  if (seen == 0) fail(Code::Data, "there are no images to look at");
}

class ChannelWatcher final : public Interpretation {
 public:
  ChannelWatcher(const Graph& graph, const std::map<ValueId, ChannelLayout>& values)
      : graph_(graph), values_(values) {
    for (const auto& [id, layout] : values) {
      seen_[id].resize(static_cast<size_t>(layout.channels));
    }
  }

  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    const auto it = values_.find(id);
    if (it == values_.end()) return tensor;
    const at::Tensor rows = tensor.contiguous();
    add({rows.const_data_ptr<float>(), static_cast<size_t>(rows.numel())}, it->second, seen_[id]);
    for (const ChannelStatistics& channel : seen_[id]) {
      if (std::isfinite(channel.sum)) continue;
      fail(Code::Numeric, "the value '{}' is NaN or infinite on these images",
           graph_.value(id).name);
    }
    return tensor;
  }

  std::map<ValueId, std::vector<ChannelStatistics>> take() { return std::move(seen_); }

 private:
  static void add(std::span<const float> values, const ChannelLayout& layout,
                  std::vector<ChannelStatistics>& channels) {
    const auto inner = static_cast<size_t>(layout.inner);
    for (size_t begin = 0, row = 0; begin < values.size(); begin += inner, ++row) {
      ChannelStatistics& channel = channels[row % channels.size()];
      for (const float x : values.subspan(begin, inner)) {
        channel.low = std::min(channel.low, x);
        channel.high = std::max(channel.high, x);
        channel.sum += x;
        channel.squares += double{x} * x;
      }
      channel.count += layout.inner;
    }
  }

  const Graph& graph_;
  const std::map<ValueId, ChannelLayout>& values_;
  std::map<ValueId, std::vector<ChannelStatistics>> seen_;
};

}  // namespace

double ChannelStatistics::deviation() const {
  const double variance = squares / static_cast<double>(count) - mean() * mean();
  return std::sqrt(std::max(variance, 0.0));
}

std::map<ValueId, std::vector<ChannelStatistics>> observe_channels(
    const Graph& graph, const std::map<ValueId, ChannelLayout>& values, const NextImages& next) {
  ChannelWatcher watcher(graph, values);
  run_images(graph, next, watcher, [](const auto&) {});
  return watcher.take();
}

std::vector<int64_t> predictions(const Graph& graph, const NextImages& next,
                                 Interpretation& interpretation) {
  std::vector<int64_t> all;
  run_images(graph, next, interpretation, [&](const std::vector<at::Tensor>& outputs) {
    const at::Tensor rows = outputs.at(0).flatten(1).contiguous();
    const float* logits = rows.const_data_ptr<float>();
    for (int64_t i = 0; i < rows.size(0); ++i, logits += rows.size(1)) {
      all.push_back(std::max_element(logits, logits + rows.size(1)) - logits);
    }
  });
  return all;
}

std::vector<float> first_outputs(const Graph& graph, const NextImages& next) {
  std::vector<float> all;
  Interpretation plain;
  bool given = false;
  const NextImages first = [&](std::vector<float>& images) -> int64_t {
    return std::exchange(given, true) ? 0 : next(images);
  };
  run_images(graph, first, plain, [&](const std::vector<at::Tensor>& outputs) {
    for (const at::Tensor& output : outputs) {
      const at::Tensor rows = output.to(at::kFloat).contiguous();
      all.insert(all.end(), rows.const_data_ptr<float>(),
                 rows.const_data_ptr<float>() + rows.numel());
    }
  });
  return all;
}

}  // namespace octet
