// Post-training quantization at 224x224 against ONNX Runtime's `quantize_static`: time and peak
// memory. Ours is everything, in a process of its own: the start, one look at the images, and both
// files by each of the observers. ONNX Runtime's time is that of quant_pre_process and
// quantize_static alone, measured inside; the start of Python and its imports are not counted. Both
// read the same file of images; before the time counts, the ranges that both find must agree.
//
//     ./dev bench ptq [--json FILE] [--images N] [--rounds N] [--entropy] [--many]
//     [NAME|MODEL.onnx...]
//
// --entropy: also against its entropy calibration (once, a minute and up to 16 GB). --many: memory
// with 4,096 images too (0.6 GB of images on the disk).

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <print>

#include "base/fail.h"
#include "base/file.h"
#include "child.h"
#include "made_networks.h"
#include "ptq_images.h"
#include "ptq_quantize.h"
#include "rows.h"

namespace {

using namespace octet;
using namespace octet::bench;

constexpr int64_t kCheckedImages = 16;

struct Wanted {
  int64_t images = 256;
  int64_t rounds = 3;
  bool entropy = false;
  bool many = false;
};

struct Spent {
  std::vector<double> seconds;
  std::vector<double> peaks;  ///< MiB
  std::vector<double> imports = {};
};

class Contest {
 public:
  Contest(const std::string& name, const Wanted& wanted)
      : model_(network_file(name)),
        name_(model_.stem().string()),
        prefix_((bench_folder() / ("ptq-" + name_)).string()),
        wanted_(wanted) {}

  void run(Table& table) const {
    check_ranges();
    Spent ours;
    Spent peer;
    for (int64_t round = 0; round < wanted_.rounds; ++round) {
      quantize_ours(wanted_.images, ours);
      quantize_peer("minmax", peer);
    }
    add(table, "all observers / min-max", ours, peer);
    if (wanted_.entropy) {
      Spent slow;
      quantize_peer("entropy", slow);
      Spent once{.seconds = {ours.seconds.back()}, .peaks = {ours.peaks.back()}};
      add(table, "all observers / entropy", once, slow);
    }
    Spent few;
    quantize_ours(64, few);
    for (const int64_t count : {int64_t{1024}, int64_t{4096}}) {
      if (count > 1024 && !wanted_.many) continue;
      Spent more;
      quantize_ours(count, more);
      table.add(compare(std::format("{}, {} images / 64", name_, count), "peak memory", more.peaks,
                        few.peaks));
    }
  }

 private:
  void quantize_ours(int64_t images, Spent& spent) const {
    const auto data = ptq_images(std::max(images, wanted_.images)).data_yaml;
    const ChildUse use = run_child({"/proc/self/exe", "--quantize", model_.string(), data.string(),
                                    std::to_string(images), prefix_},
                                   prefix_ + ".log");
    spent.seconds.push_back(use.seconds);
    spent.peaks.push_back(use.peak_mib);
  }

  ChildUse run_peer(std::vector<std::string> words) const {
    words.insert(words.begin(), {"python3", OCTET_BENCH_SCRIPTS "/ptq_onnxruntime.py"});
    return run_child(std::move(words), prefix_ + ".peer.log");
  }

  void quantize_peer(const std::string& method, Spent& spent) const {
    const ChildUse use =
        run_peer({"quantize", model_.string(), ptq_images(wanted_.images).idx.string(),
                  std::to_string(wanted_.images), prefix_ + ".peer.onnx", method});
    // ONNX Runtime prints, too; the figures are the last line.
    const size_t line = use.output.rfind('{');
    const auto times = nlohmann::json::parse(use.output.substr(line));
    spent.seconds.push_back(times.at("work"));
    spent.imports.push_back(times.at("import"));
    spent.peaks.push_back(use.peak_mib);
  }

  void add(Table& table, const std::string& what, const Spent& ours, const Spent& peer) const {
    table.add(compare(name_ + ", " + what, "time", ours.seconds, peer.seconds));
    table.add(compare(name_ + ", " + what, "peak memory", ours.peaks, peer.peaks));
    std::println("  {} images; seconds, MiB; Python's imports, not counted: {:.1f} s",
                 wanted_.images, median(peer.imports));
  }

  /// Tensors with a grid of their own in octet that ONNX Runtime calibrates too.
  void check_ranges() const {
    const PtqImages images = ptq_images(wanted_.images);
    Spent ignored;
    quantize_ours(kCheckedImages, ignored);
    const std::string found = prefix_ + ".peer.json";
    run_peer(
        {"ranges", model_.string(), images.idx.string(), std::to_string(kCheckedImages), found});
    const auto ours = parsed(prefix_ + ".calib");
    const auto peer = parsed(found);
    size_t compared = 0;
    for (const auto& group : ours.at("groups")) {
      if (group.at("values").size() != 1 || !peer.contains(group.at("values")[0])) continue;
      const std::string value = group.at("values")[0];
      compare_ranges(value, group.at("range"), peer.at(value));
      ++compared;
    }
    if (compared == 0) fail(Code::Runtime, "{}: no tensor has a range on both sides", name_);
    std::println("  {}: {} tensors have the same range on both sides", name_, compared);
  }

  static nlohmann::json parsed(const std::filesystem::path& path) {
    const auto bytes = read_file(path, Code::Io);
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    return nlohmann::json::parse(text, text + bytes.size());
  }

  void compare_ranges(const std::string& value, const std::array<double, 2>& ours,
                      const std::array<double, 2>& peer) const {
    const double size = std::max(std::abs(peer[0]), std::abs(peer[1]));
    const double gap = std::max(std::abs(ours[0] - peer[0]), std::abs(ours[1] - peer[1]));
    if (gap <= 1e-3 * size) return;
    fail(Code::Runtime, "{}: the range of '{}' is {} to {}, in ONNX Runtime {} to {}", name_, value,
         ours[0], ours[1], peer[0], peer[1]);
  }

  std::filesystem::path model_;
  std::string name_;
  std::string prefix_;
  Wanted wanted_;
};

int quantize_in_child(std::span<char*> words) {
  try {
    quantize_by_every_observer(words[2], words[3], std::atoll(words[4]), words[5]);
    return 0;
  } catch (const std::exception& error) {
    std::println(stderr, "ptq: {}", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<size_t>(argc));
  if (argc == 6 && std::string_view(argv[1]) == "--quantize") return quantize_in_child(words);
  const OwnOptions own{.numbers = {"--images", "--rounds"}, .flags = {"--entropy", "--many"}};
  const auto work = [](const Options& options, Table& table) {
    const Wanted wanted{.images = options.number("--images", 256),
                        .rounds = options.number("--rounds", 3),
                        .entropy = options.has("--entropy"),
                        .many = options.has("--many")};
    std::vector<std::string> names = options.arguments;
    if (names.empty()) names = {"mobilenetv2", "efficientvit-b0"};
    for (const std::string& name : names) Contest(name, wanted).run(table);
  };
  return run("ptq", words, work, own);
}
