#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "formats/stored/stored_tensors.h"
#include "octet/octet.h"

namespace octet {
namespace {

DType signed_type(DType type) { return type == DType::UInt8 ? DType::Int8 : type; }

template <class T>
std::string mismatch(std::span<const T> a, std::span<const T> b, bool left) {
  size_t count = 0;
  size_t first = a.size();
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    first = std::min(first, i);
    ++count;
  }
  const auto held = left ? a[first] : b[first];
  const auto number = [&] {
    if constexpr (std::is_integral_v<T>)
      return static_cast<int64_t>(held);
    else
      return held;
  }();
  if (a.size() == 1) return std::format("{}", number);
  return std::format("{} at {} ({} of {} differ)", number, first, count, a.size());
}

template <class T>
std::pair<std::string, std::string> mismatches(std::span<const T> a, std::span<const T> b) {
  return {mismatch(a, b, true), mismatch(a, b, false)};
}

std::pair<std::string, std::string> mismatches(const Tensor& a, const Tensor& b) {
  switch (a.dtype) {
    case DType::Int8: return mismatches(a.as<int8_t>(), b.as<int8_t>());
    case DType::Int16: return mismatches(a.as<int16_t>(), b.as<int16_t>());
    case DType::Int32: return mismatches(a.as<int32_t>(), b.as<int32_t>());
    case DType::Float32: return mismatches(a.as<float>(), b.as<float>());
    case DType::Int64: return mismatches(a.as<int64_t>(), b.as<int64_t>());
    default: return {"some", "others"};
  }
}

/// Two lists of numbers, which have equally many.
template <class T>
bool differs(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && a != b;
}

class Comparer {
 public:
  Comparer(const StoredFile& a, const StoredFile& b) : a_(a), b_(b) {}

  Comparison run() {
    for (const StoredTensor& tensor : a_.tensors) {
      if (const StoredTensor* other = b_.find(tensor.name)) {
        compare_both(tensor, *other);
      } else {
        add_one_sided(tensor, a_);
      }
    }
    for (const StoredTensor& tensor : b_.tensors) {
      if (!a_.find(tensor.name)) add_one_sided(tensor, b_);
    }
    return std::move(found_);
  }

 private:
  void add_one_sided(const StoredTensor& tensor, const StoredFile& file) {
    const bool twins = a_.format != b_.format;
    if (twins && !tensor.quantized()) return;  // TFLite has them as attributes
    found_.one_sided.push_back({tensor.name, "tensor", file.path.string(),
                                twins ? reason_of_format(tensor, file.format) : ""});
  }

  bool differ(const StoredTensor& at, std::string what, std::pair<std::string, std::string> sides) {
    found_.differences.push_back(
        {at.name, std::move(what), std::move(sides.first), std::move(sides.second)});
    return true;
  }

  void compare_both(const StoredTensor& a, const StoredTensor& b) {
    bool different = false;
    if (signed_type(a.type) != signed_type(b.type)) {
      different = differ(a, "type", {std::string(name_of(a.type)), std::string(name_of(b.type))});
    }
    different |= compare_grids(a, b);
    if (!different) different |= compare_constants(a, b);
    different |= compare_tables(a, b);
    if (!different) ++(a.constant ? found_.constants : found_.values);
  }

  bool compare_grids(const StoredTensor& a, const StoredTensor& b) {
    if (a.scale.empty() || b.scale.empty()) return false;  // one file does not say it
    if (a.scale.size() != b.scale.size()) {
      return differ(
          a, "scale",
          {std::format("{} scales", a.scale.size()), std::format("{} scales", b.scale.size())});
    }
    bool different = false;
    if (differs(a.scale, b.scale)) {
      different = differ(a, "scale", mismatches(std::span(a.scale), std::span(b.scale)));
    }
    if (differs(a.zero_point, b.zero_point)) {
      different =
          differ(a, "zero point", mismatches(std::span(a.zero_point), std::span(b.zero_point)));
    }
    return different;
  }

  bool compare_constants(const StoredTensor& a, const StoredTensor& b) {
    if (!a.constant && !b.constant) return false;
    if (!a.constant || !b.constant) {
      const auto side = [](const StoredTensor& tensor) {
        return std::string(tensor.constant ? "a constant" : "computed");
      };
      return differ(a, "integers", {side(a), side(b)});
    }
    const bool turn_a = b.layout == StoredLayout::Graph && a.layout != StoredLayout::Graph;
    const StoredTensor& kept = turn_a ? b : a;
    const StoredTensor& turned = turn_a ? a : b;
    const auto candidates = laid_out(turned, kept.constant->shape);
    if (candidates.empty()) {
      return differ(a, "shape", {shape_text(a.constant->shape), shape_text(b.constant->shape)});
    }
    const bool equal = std::ranges::any_of(candidates, [&](const LaidOut& held) {
      return held.axis == kept.axis && held.constant.bytes == kept.constant->bytes;
    });
    if (equal) return false;
    const Tensor& other = candidates[0].constant;
    return differ(a, "integers",
                  turn_a ? mismatches(other, *kept.constant) : mismatches(*kept.constant, other));
  }

  bool compare_tables(const StoredTensor& a, const StoredTensor& b) {
    if (a.table.empty() && b.table.empty()) return false;
    if (a.table.empty() || b.table.empty()) {
      const bool first = b.table.empty();
      const StoredFile& other = first ? b_ : a_;
      const StoredTensor& bare = first ? b : a;
      const bool kernel = other.format == "TFLite" && a_.format != b_.format;
      found_.one_sided.push_back({a.name, "table", (first ? a_ : b_).path.string(),
                                  kernel ? "TFLite's " + bare.made_by + " makes its own" : ""});
      return false;
    }
    if (a.table.size() != b.table.size()) {
      return differ(
          a, "table",
          {std::format("{} entries", a.table.size()), std::format("{} entries", b.table.size())});
    }
    if (a.table != b.table) {
      return differ(a, "table", mismatches(std::span(a.table), std::span(b.table)));
    }
    ++found_.tables;
    return false;
  }

  const StoredFile& a_;
  const StoredFile& b_;
  Comparison found_;
};

}  // namespace

bool Comparison::equal() const {
  return differences.empty() &&
         std::ranges::none_of(one_sided, [](const auto& held) { return held.reason.empty(); });
}

Comparison compare(const std::filesystem::path& a, const std::filesystem::path& b) {
  const StoredFile first = read_stored(a);
  const StoredFile second = read_stored(b);
  return Comparer(first, second).run();
}

std::string to_json(const Comparison& comparison) {
  using nlohmann::json;
  json differences = json::array();
  for (const Difference& held : comparison.differences) {
    differences.push_back(
        {{"tensor", held.tensor}, {"what", held.what}, {"a", held.a}, {"b", held.b}});
  }
  json one_sided = json::array();
  for (const OneSided& held : comparison.one_sided) {
    one_sided.push_back({{"tensor", held.tensor},
                         {"what", held.what},
                         {"path", held.path},
                         {"reason", held.reason}});
  }
  const json all{{"equal", comparison.equal()},       {"values", comparison.values},
                 {"constants", comparison.constants}, {"tables", comparison.tables},
                 {"differences", differences},        {"one_sided", one_sided}};
  return all.dump(2) + "\n";
}

}  // namespace octet
