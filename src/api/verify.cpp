#include "api/adopt.h"
#include "api/certify.h"
#include "base/fail.h"
#include "octet/octet.h"

namespace octet {

QuantizedNetwork network_behind(const std::filesystem::path& against,
                                const std::filesystem::path& file) {
  if (against.extension() == ".octet") return read_quantized(against);
  if (against.extension() != ".onnx") {
    fail(Code::Usage,
         "{}: wanted the network file (.octet) that {} was made from, or the float network (.onnx)",
         against.string(), file.string());
  }
  return adopt(read_network(against, {}), read_stored(file));
}

Certificate verify(const std::filesystem::path& file, const std::filesystem::path& against,
                   const std::filesystem::path& data, const VerifyOptions& options,
                   const ProgressSink& progress) {
  if (options.images < 1) fail(Code::Usage, "{} images; wanted 1 or more", options.images);
  if (options.limit.value_or(0) < 0) {
    fail(Code::Usage, "the limit is {} steps; wanted 0 or more", *options.limit);
  }
  const QuantizedNetwork network = network_behind(against, file);
  const DataRecipe recipe = read_data(data);
  const auto dataset = open_part(recipe.train, "train");
  check_input(network.graph, *dataset);
  const Split parts = split(*dataset, recipe.validation, network.seed);
  Certificate certificate =
      certify(network, file, *dataset, images_to_verify(parts, options.images), progress);
  certificate.limit = options.limit;
  return certificate;
}

}  // namespace octet
