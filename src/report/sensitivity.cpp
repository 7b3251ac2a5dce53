#include <algorithm>
#include <cmath>
#include <format>
#include <nlohmann/json.hpp>

#include "octet/octet.h"
#include "report/svg.h"

namespace octet {
namespace {

using nlohmann::ordered_json;

std::string decibels(std::optional<double> sqnr) {
  if (!sqnr) return "-";
  if (std::isfinite(*sqnr)) return std::format("{:.1f} dB", *sqnr);
  return *sqnr > 0 ? "exact" : "lost";
}

/// The end of a long name tells more than its beginning.
std::string shortened(const std::string& name, size_t letters) {
  return name.size() <= letters ? name : "..." + name.substr(name.size() - letters + 3);
}

std::string explained(const LayerSensitivity& layer) {
  return std::format("{} ({}): {:.2f} % of the noise, logits {}, KL {:.3g}", layer.name, layer.op,
                     layer.share, decibels(layer.logits_sqnr), layer.divergence);
}

}  // namespace

std::string Sensitivity::text(size_t rows) const {
  const size_t shown = std::min(rows, layers.size());
  size_t width = 5;
  size_t op_width = 2;
  for (size_t i = 0; i < shown; ++i) {
    width = std::max(width, layers[i].name.size());
    op_width = std::max(op_width, layers[i].op.size());
  }
  std::string out =
      std::format("{:<{}}  {:<{}}  {:>8}  {:>9}  {:>9}  {:>9}  {:>9}  {:>8}\n", "layer", width,
                  "op", op_width, "share", "logits", "KL", "changed", "weights", "result");
  for (size_t i = 0; i < shown; ++i) {
    const LayerSensitivity& layer = layers[i];
    out += std::format("{:<{}}  {:<{}}  {:>6.2f} %  {:>9}  {:>9.2e}  {:>7.2f} %  {:>9}  {:>8}\n",
                       layer.name, width, layer.op, op_width, layer.share,
                       decibels(layer.logits_sqnr), layer.divergence, layer.changed,
                       decibels(layer.weight_sqnr), decibels(layer.result_sqnr));
  }
  if (shown < layers.size()) {
    double rest = 0;
    for (size_t i = shown; i < layers.size(); ++i) rest += layers[i].share;
    out += std::format("{} more layers, {:.2f} % of the noise together\n", layers.size() - shown,
                       rest);
  }
  return out + std::format("{} for {}, observer {}, {} images: each layer quantized alone\n", model,
                           target, observer, images);
}

std::string Sensitivity::json() const {
  ordered_json document{{"model", model},
                        {"target", target},
                        {"observer", observer},
                        {"images", images},
                        {"layers", ordered_json::array()}};
  for (const LayerSensitivity& layer : layers) {
    ordered_json row{{"name", layer.name},
                     {"op", layer.op},
                     {"share", layer.share},
                     {"logits_sqnr", layer.logits_sqnr},  // null where it is infinite
                     {"divergence", layer.divergence},
                     {"changed", layer.changed},
                     {"result", layer.result},
                     {"result_sqnr", layer.result_sqnr}};
    if (layer.weight_sqnr) {
      row["weight"] = layer.weight;
      row["weight_sqnr"] = *layer.weight_sqnr;
    }
    document["layers"].push_back(std::move(row));
  }
  return document.dump(2) + "\n";
}

std::string Sensitivity::svg() const {
  constexpr size_t kBars = 30;
  constexpr double kRow = 20;
  constexpr double kTop = 56;
  constexpr double kNames = 330;
  constexpr double kLongest = 360;
  const size_t shown = std::min(kBars, layers.size());
  const std::string title =
      std::format("What quantizing a layer alone costs: {}, {}", shortened(model, 40), target);
  Svg picture(kNames + kLongest + 110, kTop + kRow * static_cast<double>(shown) + 14, title);
  picture.text(12, 22, title);
  picture.text(12, 40,
               "share of the noise in the logits; beside the bar their SQNR with this layer alone",
               Svg::Anchor::Start, "#777");
  const double most = shown == 0 ? 1 : std::max(layers[0].share, 1e-9);
  for (size_t i = 0; i < shown; ++i) {
    const LayerSensitivity& layer = layers[i];
    const double y = kTop + kRow * static_cast<double>(i);
    const double length = kLongest * layer.share / most;
    picture.text(kNames - 8, y + 13, shortened(layer.name, 44), Svg::Anchor::End);
    picture.rectangle(kNames, y + 2, std::max(length, 0.5), kRow - 5,
                      layer.weight.empty() ? "#8fb3d9" : "#3c6ea5", explained(layer));
    picture.text(kNames + length + 6, y + 13,
                 std::format("{:.1f} %, {}", layer.share, decibels(layer.logits_sqnr)),
                 Svg::Anchor::Start, "#555");
  }
  return picture.finish();
}

}  // namespace octet
