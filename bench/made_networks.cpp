#include "made_networks.h"

#include "base/file.h"
#include "octet/octet.h"

namespace octet::bench {

std::filesystem::path bench_folder() {
  make_folder(OCTET_BENCH_FOLDER);
  return OCTET_BENCH_FOLDER;
}

std::filesystem::path float_network(const std::string& architecture) {
  const std::filesystem::path path = bench_folder() / (architecture + ".onnx");
  if (!std::filesystem::exists(path)) octet::make_network({.architecture = architecture}, path);
  return path;
}

std::filesystem::path network_file(const std::string& name) {
  return name.ends_with(".onnx") ? std::filesystem::path(name) : float_network(name);
}

}  // namespace octet::bench
