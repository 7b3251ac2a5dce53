#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/assignment.h"
#include "api/stages.h"
#include "quant/layers.h"

namespace octet {

/// What all assignments of a search have in common.
struct AssignedSettings {
  DeploymentChoice deployment;  ///< one target
  CalibrationSettings calibration;
};

/// The networks that assignments make of one float network. The images are looked at once for all
/// assignments of the same methods and width: sketches of single values serve every observer, and
/// every choice of layers.
class AssignedNetworks {
 public:
  /// What `images` refers to must outlive this.
  AssignedNetworks(Graph graph, CalibrationImages images, AssignedSettings settings);

  /// The layers that an assignment may keep in float, with the network that they are of.
  const std::vector<Layer>& layers(const Assignment& assignment, const ProgressSink& progress);
  const Graph& graph(const Assignment& assignment, const ProgressSink& progress);
  /// The nodes that compute in float in its file, by name; looks at no image unless a method does.
  std::vector<std::string> nodes_in_float(const Assignment& assignment,
                                          const ProgressSink& progress);
  QuantizedNetwork make(const Assignment& assignment, const ProgressSink& progress);
  const Deployment& deployment(const Assignment& assignment, const ProgressSink& progress);

 private:
  /// All in integers, with some methods and one width.
  struct Base {
    Deployment deployment;
    QuantizedNetwork network;
    std::vector<Layer> layers;
    Placement alone;                  ///< that the images are observed under
    std::optional<Calibration> seen;  ///< of single values
    std::string pixels;
  };
  CalibrationSettings settings_of(const Assignment& assignment) const;
  Base& base(const Assignment& assignment, const ProgressSink& progress);
  QuantizedNetwork placed(Base& base, const Assignment& assignment) const;

  Graph graph_;
  CalibrationImages images_;
  AssignedSettings settings_;
  std::map<std::pair<std::vector<std::string>, int>, Base> bases_;
};

}  // namespace octet
