// Speed of the deployed files at batch 1 on one thread: our INT8 ONNX and TFLite files against the
// float network in ONNX Runtime, and against the faster of the two files that ONNX Runtime's own
// quantizer makes (QDQ and QOperator). Before that, our files are shown to compute what octet
// simulates, bit for bit. Networks are made once, in build/bench.
//
//     ./dev bench runtime [--json FILE] [NAME|MODEL.onnx...]

#include <algorithm>
#include <print>

#include "made_networks.h"
#include "octet/octet.h"
#include "rows.h"
#include "runtime/session.h"
#include "runtime_files.h"

namespace {

using namespace octet;
using namespace octet::bench;

constexpr int kRounds = 31;
constexpr int kCalls = 3;
constexpr const char* kNetworks[] = {"mobilenetv2", "efficientnet-b0", "efficientvit-b0",
                                     "resnet50"};

class Race {
 public:
  size_t enter(const std::filesystem::path& file, const std::vector<float>& image) {
    sessions_.push_back(open_session(file, 1));
    contenders_.push_back([session = sessions_.back().get(), &image] { session->run(image, 1); });
    return contenders_.size() - 1;
  }
  std::vector<std::vector<double>> run() const { return alternate(contenders_, kRounds, kCalls); }

 private:
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::function<void()>> contenders_;
};

void measure(const std::filesystem::path& model, Table& table) {
  const RuntimeFiles files = make_files(model);
  const std::string name = model.stem().string();
  Race race;
  const size_t as_float = race.enter(files.float_onnx, files.image);
  const size_t onnx = race.enter(files.int8_onnx, files.image);
  const size_t tflite = race.enter(files.int8_tflite, files.image_channels_last);
  std::vector<size_t> peers;
  for (const auto& file : files.quantizer_onnx) peers.push_back(race.enter(file, files.image));
  const auto times = race.run();
  const size_t best =
      *std::ranges::min_element(peers, {}, [&](size_t peer) { return median(times[peer]); });
  table.add(compare(name, "INT8 ONNX / float, ms", times[onnx], times[as_float]));
  table.add(compare(name, "INT8 ONNX / ORT's quantizer, ms", times[onnx], times[best]));
  table.add(compare(name, "INT8 TFLite / float, ms", times[tflite], times[as_float]));
  table.add(compare(name, "INT8 TFLite / ORT's quantizer, ms", times[tflite], times[best]));
  std::println(
      "  {}: both files equal their simulation; {} operators in float; SQNR against float {:.1f} "
      "dB "
      "(ORT's quantizer {:.1f})",
      name, files.in_float, files.sqnr, files.quantizer_sqnr);
}

}  // namespace

int main(int argc, char** argv) {
  return run("runtime", {argv, static_cast<size_t>(argc)},
             [](const Options& options, Table& table) {
               std::vector<std::string> names = options.arguments;
               if (names.empty()) names.assign(std::begin(kNetworks), std::end(kNetworks));
               for (const std::string& name : names) {
                 measure(network_file(name), table);
               }
             });
}
