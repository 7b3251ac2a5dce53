#pragma once

#include <filesystem>
#include <string>

namespace octet::bench {

/// The folder for what benchmarks make and use again: build/bench. It exists.
std::filesystem::path bench_folder();

/// A float network of that name in the benchmarks' folder, made where it is missing.
std::filesystem::path float_network(const std::string& architecture);

/// The file itself for NAME.onnx, else as above.
std::filesystem::path network_file(const std::string& name);

}  // namespace octet::bench
