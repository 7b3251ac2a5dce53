#pragma once

namespace CLI {
class App;
}

namespace octet::cli {

// Each adds one subcommand with its options; the work is done while the command line is parsed.
void add_new(CLI::App& app);
void add_train(CLI::App& app);
void add_run(CLI::App& app);
void add_quantize(CLI::App& app);
void add_convert(CLI::App& app);
void add_eval(CLI::App& app);
void add_inspect(CLI::App& app);
void add_targets(CLI::App& app);
void add_verify(CLI::App& app);
void add_compare(CLI::App& app);
void add_grid(CLI::App& app);
void add_sensitivity(CLI::App& app);
void add_search(CLI::App& app);

}  // namespace octet::cli
