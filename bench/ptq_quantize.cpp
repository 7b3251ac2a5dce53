#include "ptq_quantize.h"

#include <format>
#include <numeric>

#include "api/deployment.h"
#include "api/outputs.h"
#include "api/recipe.h"
#include "api/stages.h"
#include "base/file.h"
#include "quant/observer.h"

namespace octet::bench {

void quantize_by_every_observer(const std::filesystem::path& model,
                                const std::filesystem::path& data, int64_t images,
                                const std::string& prefix) {
  const Deployment deployment = deployment_of({.targets = {"onnxruntime-cpu", "tflite"}});
  const DataSource source = *read_data(data).train;
  const auto dataset = open_dataset(source);
  Split in_order;  // ONNX Runtime's reader takes the first ones
  in_order.train.resize(static_cast<size_t>(dataset->size()));
  std::iota(in_order.train.begin(), in_order.train.end(), 0);
  const CalibrationImages looked{*dataset, source, in_order, prefix + ".calib"};
  CalibrationSettings settings{.images = images};
  const ObservedNetwork observed =
      observe_network(read_network(model, {}), deployment, looked, settings, {});
  for (const Observer& observer : all_observers()) {
    settings.observer = observer.name;
    const QuantizedNetwork network = solve_network(observed, deployment, settings, nullptr, {});
    for (const char* extension : {".onnx", ".tflite"}) {
      const std::filesystem::path file = std::format("{}.{}{}", prefix, observer.name, extension);
      write_file(file, quantized_file(network, file));
    }
  }
}

}  // namespace octet::bench
