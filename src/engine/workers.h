#pragma once

#include <cstdint>
#include <functional>

namespace octet {

/// Calls `work(0)` to `work(count - 1)`, several at a time: on as many threads as LibTorch uses,
/// which share its threads between them. Independent runs of small tensors so fill the cores, where
/// the threads of one run would mostly wait for one another. Without gradients. When some throw,
/// what the first of them by number threw is thrown once all have ended.
void on_workers(int64_t count, const std::function<void(int64_t)>& work);

}  // namespace octet
