#include <CLI/CLI.hpp>
#include <print>

#include "commands.h"
#include "octet/octet.h"

namespace octet::cli {

void add_targets(CLI::App& app) {
  CLI::App* command = app.add_subcommand("targets", "what files can be made for");
  command->callback([] {
    for (const TargetRow& target : targets()) {
      std::println("{:<20} {:<12} {:<18} {:<38} {}", target.name, target.format, target.runtime,
                   target.scheme, target.purpose);
    }
  });
}

}  // namespace octet::cli
