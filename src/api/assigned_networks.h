#pragma once

#include <map>
#include <optional>
#include <set>
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

/// What computes otherwise than on the base's integers in an assignment's file, by name.
struct AssignedNodes {
  std::vector<std::string> on_16_bits;
  std::vector<std::string> in_float;
};

/// The networks that assignments make of one float network. The images are looked at once for all
/// assignments of the same methods and width: sketches of single values serve every observer, and
/// every choice of layers but those that are lowered to 16 bits, which are looked at anew.
class AssignedNetworks {
 public:
  /// What `images` refers to must outlive this.
  AssignedNetworks(Graph graph, CalibrationImages images, AssignedSettings settings);

  /// The layers that an assignment may keep in float, with the network that they are of.
  const std::vector<Layer>& layers(const Assignment& assignment, const ProgressSink& progress);
  const Graph& graph(const Assignment& assignment, const ProgressSink& progress);
  /// Looks at no image unless a method does.
  AssignedNodes nodes_of(const Assignment& assignment, const ProgressSink& progress);
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
    std::optional<std::set<std::string>> never_wide;  ///< nodes without a form of 16 bits
  };
  CalibrationSettings settings_of(const Assignment& assignment) const;
  Base& base(const Assignment& assignment, const ProgressSink& progress);
  struct Placed {
    QuantizedNetwork network;
    bool lowered = false;  ///< it has values that the base does not have
  };
  Placed placed(Base& base, const Assignment& assignment) const;
  static Placed placed(const Base& base, std::vector<Override> overrides);
  static const std::set<std::string>& never_wide(Base& base);

  Graph graph_;
  CalibrationImages images_;
  AssignedSettings settings_;
  std::map<std::pair<std::vector<std::string>, int>, Base> bases_;
};

}  // namespace octet
