#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <print>

#include "commands.h"
#include "interruption.h"
#include "octet/octet.h"

namespace {

/// One line on stderr, whatever happened.
int complain(const char* message, int status) {
  std::string line(message);
  std::ranges::replace(line, '\n', ' ');
  std::println(stderr, "octet: {}", line);
  return status;
}

/// CLI11 does not tell a subcommand that is unknown from one that is missing.
std::string unknown_subcommand(const CLI::App& app, const std::string& word) {
  std::string known;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == word) return "";
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  return "unknown subcommand '" + word + "'; known are " + known;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"octet shrinks trained networks to INT8 and keeps their accuracy", "octet"};
  app.set_version_flag("--version", [] {
    std::string text;
    for (const auto& [name, version] : octet::versions()) {
      text += (text.empty() ? "" : ", ") + name + " " + version;
    }
    return text;
  });
  app.require_subcommand(1);
  octet::cli::add_new(app);
  octet::cli::add_train(app);
  octet::cli::add_run(app);
  octet::cli::add_quantize(app);
  octet::cli::add_convert(app);
  octet::cli::add_eval(app);
  octet::cli::add_inspect(app);
  octet::cli::add_targets(app);
  octet::cli::add_verify(app);
  octet::cli::add_compare(app);
  octet::cli::add_grid(app);
  octet::cli::add_sensitivity(app);
  octet::cli::add_search(app);
  if (argc > 1 && argv[1][0] != '-') {
    const std::string unknown = unknown_subcommand(app, argv[1]);
    if (!unknown.empty()) return complain(unknown.c_str(), 2);
  }
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return complain((std::string(error.what()) + "; see 'octet --help'").c_str(), 2);
  } catch (const octet::Error& error) {
    const int signal = octet::cli::asked_to_end_by();
    return complain(error.what(), signal != 0 ? 128 + signal : octet::exit_status(error.code()));
  } catch (const std::bad_alloc&) {
    return complain("the memory of this machine is used up; try a smaller batch", 1);
  } catch (const std::exception& error) {
    return complain(error.what(), 1);
  }
}
