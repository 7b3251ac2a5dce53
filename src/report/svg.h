#pragma once

#include <string>
#include <string_view>

namespace octet {

/// A picture that is drawn by hand: SVG 1.1 (W3C, 2011), on white, in pixels from the upper left
/// corner. It holds a title for readers that cannot see it.
class Svg {
 public:
  enum class Anchor : uint8_t { Start, Middle, End };

  Svg(double width, double height, std::string_view title);

  void text(double x, double y, std::string_view words, Anchor anchor = Anchor::Start,
            std::string_view color = "#222");
  void rectangle(double x, double y, double width, double height, std::string_view color,
                 std::string_view tip = "");
  void line(double x1, double y1, double x2, double y2, std::string_view color,
            bool dashed = false);
  void dot(double x, double y, double radius, std::string_view color, std::string_view tip = "");

  std::string finish() const { return body_ + "</svg>\n"; }

 private:
  std::string body_;
};

}  // namespace octet
