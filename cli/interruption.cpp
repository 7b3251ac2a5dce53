#include "interruption.h"

#include <csignal>
#include <utility>

#include "octet/error.h"

namespace octet::cli {
namespace {

volatile std::sig_atomic_t asked_by = 0;

void note_request(int signal) { asked_by = signal; }

}  // namespace

ProgressSink ending_when_asked(ProgressSink sink, std::string message) {
  struct sigaction action{};
  action.sa_handler = note_request;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  return [sink = std::move(sink), message = std::move(message)](const Progress& progress) {
    if (sink) sink(progress);
    if (asked_by != 0) throw Error(Code::Runtime, message);
  };
}

int asked_to_end_by() { return asked_by; }

}  // namespace octet::cli
