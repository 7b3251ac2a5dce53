#include "report/svg.h"

#include <array>
#include <format>
#include <utility>

namespace octet {
namespace {

std::string escaped(std::string_view words) {
  constexpr std::array<std::pair<char, std::string_view>, 4> kEntities{
      {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}}};
  std::string out;
  for (const char letter : words) {
    std::string_view put(&letter, 1);
    for (const auto& [special, entity] : kEntities) {
      if (letter == special) put = entity;
    }
    out += put;
  }
  return out;
}

/// Ends an element, with what is shown when one points at it.
std::string tipped(std::string_view element, std::string_view tip) {
  if (tip.empty()) return "/>\n";
  return std::format("><title>{}</title></{}>\n", escaped(tip), element);
}

}  // namespace

Svg::Svg(double width, double height, std::string_view title)
    : body_(
          std::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:g}\" height=\"{1:g}\" "
                      "viewBox=\"0 0 {0:g} {1:g}\" font-family=\"sans-serif\" font-size=\"12\">\n"
                      "<title>{2}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
                      width, height, escaped(title))) {}

void Svg::text(double x, double y, std::string_view words, Anchor anchor, std::string_view color) {
  constexpr std::array<std::string_view, 3> kAnchors{"start", "middle", "end"};
  body_ += std::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" fill=\"{}\">{}</text>\n",
                       x, y, kAnchors.at(static_cast<size_t>(anchor)), color, escaped(words));
}

void Svg::rectangle(double x, double y, double width, double height, std::string_view color,
                    std::string_view tip) {
  body_ += std::format(
               "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
               "fill=\"{}\"",
               x, y, width, height, color) +
           tipped("rect", tip);
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view color, bool dashed) {
  body_ += std::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" "
      "stroke=\"{}\"{}/>\n",
      x1, y1, x2, y2, color, dashed ? " stroke-dasharray=\"4 3\"" : "");
}

void Svg::dot(double x, double y, double radius, std::string_view color, std::string_view tip) {
  body_ += std::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\"", x, y, radius,
                       color) +
           tipped("circle", tip);
}

}  // namespace octet
