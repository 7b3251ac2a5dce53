// A step of training against PyTorch's, on the same network (simplified, so without
// BatchNormalizations), images and labels: our float step, our QAT step, and PyTorch's float step
// in a process of its own, in turns. PyTorch: channels-last, Relu in place, SGD in one
// kernel; with --compiled `torch.compile` too, and the faster of both counts. First both sides must
// have the same loss, before and after a step. Peak memory is that of a process that trains and
// does nothing else.
//
//     ./dev bench qat [--json FILE] [--rounds N] [--steps N] [--batch N] [--threads N] [--compiled]
//     [--profile] [NAME|MODEL.onnx...]
//
// --profile: where the time of a step goes, by operator, instead of rows.

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <format>
#include <print>

#include "base/fail.h"
#include "child.h"
#include "engine/reused_buffers.h"
#include "qat_kernels.h"
#include "qat_networks.h"
#include "qat_profile.h"
#include "qat_step.h"
#include "rows.h"

namespace {

using namespace octet;
using namespace octet::bench;

constexpr double kRate = 1e-3;
constexpr int kStepsAlone = 3;
constexpr int kStepsProfiled = 5;

std::vector<std::string> peer_words(const QatNetwork& network) {
  return {"python3",
          OCTET_BENCH_SCRIPTS "/qat_pytorch.py",
          network.model.string(),
          network.images.string(),
          network.labels.string(),
          std::to_string(network.batch),
          std::to_string(at::get_num_threads()),
          std::to_string(kRate)};
}

std::string log_of(const QatNetwork& network) { return network.model.string() + ".peer.log"; }

class Peer {
 public:
  Peer(const QatNetwork& network, bool compiled)
      : talk_(words(network, compiled), log_of(network)) {}
  double loss() { return talk_.ask("loss"); }
  /// Milliseconds per step.
  double steps(int count) { return talk_.ask(std::format("steps {}", count)); }
  StepProfile profile(int count) {
    StepProfile profile{.milliseconds = steps(count)};
    for (const auto& row : talk_.ask(std::format("profile {}", count))) {
      profile.operators.push_back({row.at(0), row.at(1), row.at(2)});
    }
    return profile;
  }

 private:
  static std::vector<std::string> words(const QatNetwork& network, bool compiled) {
    std::vector<std::string> all = peer_words(network);
    if (compiled) all.emplace_back("--compiled");
    return all;
  }
  Conversation talk_;
};

double timed_steps(Training& training, int count) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) training.step();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
             .count() /
         count;
}

void check_same(const QatNetwork& network, double ours, double peer, double tolerance,
                std::string_view when) {
  if (std::abs(ours - peer) <= tolerance * std::abs(peer)) return;
  fail(Code::Runtime, "{}: the loss {} is {}, on the other side {}", network.name, when, ours,
       peer);
}

/// Both sides take a step.
void check_peer(const QatNetwork& network, Training& ours, Peer& peer) {
  const double before = ours.loss();
  check_same(network, before, peer.loss(), 1e-4, "before a step");
  ours.step();
  peer.steps(1);
  const double after = ours.loss();
  check_same(network, after, peer.loss(), 1e-3, "after a step");
  std::println("  {}: the same loss in PyTorch, {:.5f}, and after a step, {:.5f}", network.name,
               before, after);
}

double peak_of(const QatNetwork& network, const std::string& kind) {
  std::vector<std::string> words = peer_words(network);
  if (kind == "PyTorch") {
    words.emplace_back("--alone");
  } else {
    words = {"/proc/self/exe",
             "--alone",
             kind,
             network.model.string(),
             network.images.string(),
             network.labels.string(),
             std::to_string(network.batch),
             std::to_string(at::get_num_threads())};
  }
  return std::stod(run_child(words, network.model.string() + ".alone.log").output);
}

void add_peaks(const QatNetwork& network, Table& table) {
  const std::vector<double> quantized{peak_of(network, "qat")};
  const std::vector<double> as_float{peak_of(network, "float")};
  const std::vector<double> peer{peak_of(network, "PyTorch")};
  const auto add = [&](const char* what, const auto& ours, const auto& other) {
    table.add(compare(network.name, std::format("peak memory, {}, MiB", what), ours, other));
  };
  add("float / PyTorch", as_float, peer);
  add("QAT / PyTorch", quantized, peer);
  add("QAT / float", quantized, as_float);
}

class Contest {
 public:
  Contest(const QatNetwork& network, const Options& options)
      : network_(network),
        as_float_(network, Training::Kind::Float, kRate),
        quantized_(network, Training::Kind::Quantized, kRate) {
    check_same(network, quantized_.loss(), as_float_.loss(), 0.1, "of the quantized network");
    peers_.push_back(std::make_unique<Peer>(network, false));
    if (options.has("--compiled")) peers_.push_back(std::make_unique<Peer>(network, true));
    for (size_t i = 0; i < peers_.size(); ++i) {
      Training fresh(network, Training::Kind::Float, kRate);
      check_peer(network, fresh, *peers_[i]);
    }
  }

  void run(Table& table, int rounds, int steps) {
    const auto first_for_data = [](auto& contender, int count) {
      contender(1);
      return contender(count);
    };
    std::vector<std::function<double(int)>> contenders;
    for (Training* training : {&as_float_, &quantized_}) {
      contenders.emplace_back([=](int count) {
        auto run = [=](int some) { return timed_steps(*training, some); };
        return first_for_data(run, count);
      });
    }
    for (const auto& peer : peers_) {
      contenders.emplace_back([=, each = peer.get()](int count) {
        auto run = [=](int some) { return each->steps(some); };
        return first_for_data(run, count);
      });
    }
    const auto times = alternate_timed(contenders, rounds, steps);
    const auto best = std::ranges::min_element(times.begin() + 2, times.end(), {}, median);
    if (times.size() > 3) {
      std::println("  {}: PyTorch takes {:.4g} ms as it is, {:.4g} ms compiled", network_.name,
                   median(times[2]), median(times[3]));
    }
    table.add(compare(network_.name, "float step / PyTorch float, ms", times[0], *best));
    table.add(compare(network_.name, "QAT step / PyTorch float, ms", times[1], *best));
    table.add(compare(network_.name, "QAT step / float step, ms", times[1], times[0]));
  }

  void profile() {
    print_profile(network_.name + ", our float step",
                  profile_steps([&] { as_float_.step(); }, kStepsProfiled));
    print_profile(network_.name + ", our QAT step",
                  profile_steps([&] { quantized_.step(); }, kStepsProfiled));
    for (const auto& peer : peers_) {
      print_profile(network_.name + ", PyTorch's float step", peer->profile(kStepsProfiled));
    }
  }

 private:
  const QatNetwork& network_;
  Training as_float_;
  Training quantized_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

void measure(const Options& options, Table& table) {
  if (options.numbers.contains("--threads")) at::set_num_threads(options.number("--threads", 1));
  const ReusedBuffers reused;
  const int rounds = options.number("--rounds", 7);
  std::vector<std::string> names = options.arguments;
  if (names.empty()) names = {"mobilenetv2", "efficientvit-b0", "resnet20"};
  for (const std::string& name : names) {
    const QatNetwork network =
        qat_network(name, name == "resnet20" ? 32 : 64, options.number("--batch", 64));
    if (options.has("--profile")) {
      Contest(network, options).profile();
      continue;
    }
    add_peaks(network, table);
    Contest(network, options).run(table, rounds, options.number("--steps", 5));
  }
  if (!options.has("--profile")) measure_kernels(table, rounds);
}

/// --alone KIND MODEL IMAGES LABELS BATCH THREADS
int train_alone(std::span<char*> words) {
  try {
    const QatNetwork network{.name = words[3],
                             .model = words[3],
                             .images = words[4],
                             .labels = words[5],
                             .batch = std::atoll(words[6])};
    at::set_num_threads(std::atoi(words[7]));
    const bool as_float = std::string_view(words[2]) == "float";
    const ReusedBuffers reused;
    Training training(network, as_float ? Training::Kind::Float : Training::Kind::Quantized, kRate);
    for (int i = 0; i < kStepsAlone; ++i) training.step();
    std::println("{}", own_peak_mib());
    return 0;
  } catch (const std::exception& error) {
    std::println(stderr, "qat: {}", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<size_t>(argc));
  if (argc == 8 && std::string_view(argv[1]) == "--alone") return train_alone(words);
  return run("qat", words, measure,
             {.numbers = {"--rounds", "--steps", "--batch", "--threads"},
              .flags = {"--compiled", "--profile"}});
}
