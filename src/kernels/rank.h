#pragma once

#include <cstdint>
#include <span>

namespace octet {

/// How many classes come before `label` when logits are sorted in falling order, ties by the lower
/// index: 0 means that the prediction is right, below 5 that it is among the first five. Every
/// state of a network is scored with this one rule.
int64_t rank_of(std::span<const float> logits, int64_t label);

/// The predicted class: the one of rank 0.
int64_t prediction(std::span<const float> logits);

}  // namespace octet
