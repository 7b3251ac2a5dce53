#include "train/teacher.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mse_loss.h>

#include "base/fail.h"
#include "kernels/rank.h"
#include "ops/op_def.h"

namespace octet {
namespace {

bool is_residual(const Graph& graph, const Node& node) {
  return node.op == "Add" && !graph.is_constant(node.input(0)) && !graph.is_constant(node.input(1));
}

bool is_weighted(const Graph& /*graph*/, const Node& node) {
  return std::holds_alternative<Weighted>(op_of(node).quant.value);
}

/// What such nodes of the student put out, but for the logits, where the teacher has it too.
std::vector<ValueId> common(const Graph& teacher, const Graph& student,
                            bool (*wanted)(const Graph&, const Node&)) {
  std::vector<ValueId> found;
  for (const NodeId id : student.order()) {
    const Node& node = student.node(id);
    if (node.outputs.empty() || !wanted(student, node) || student.is_output(node.outputs[0])) {
      continue;
    }
    const Value& value = student.value(node.outputs[0]);
    const auto twin = teacher.find(value.name);
    if (!twin || teacher.is_constant(*twin) || !value.shape_known) continue;
    if (teacher.value(*twin).shape == value.shape) found.push_back(node.outputs[0]);
  }
  return found;
}

std::vector<ValueId> features_of(const Graph& teacher, const Graph& student,
                                 const TeacherSettings& settings) {
  if (settings.features <= 0) return {};
  std::vector<ValueId> found = common(teacher, student, is_residual);
  if (found.empty()) found = common(teacher, student, is_weighted);
  if (found.empty()) {
    fail(Code::Usage,
         "qat: the network and its teacher have no value in common that features could be; set "
         "'teacher: {{features: 0}}'");
  }
  return found;
}

Part with_features(const Graph& teacher, const Graph& student,
                   const std::vector<ValueId>& features) {
  Part part{teacher.order(), teacher.inputs(), teacher.outputs()};
  for (const ValueId id : features) {
    part.outputs.push_back(*teacher.find(student.value(id).name));
  }
  return part;
}

}  // namespace

Teacher::Teacher(const Graph& network, const Graph& student, const TeacherSettings& settings)
    : settings_(settings),
      features_(features_of(network, student, settings)),
      executor_(network, with_features(network, student, features_)) {}

std::vector<at::Tensor> Teacher::run(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  return executor_.run({&images, 1}, plain_);
}

at::Tensor Teacher::divergence(const at::Tensor& images, const std::vector<at::Tensor>& outputs) {
  wanted_ = run(images);
  const double heat = settings_.temperature;
  const at::Tensor wanted = at::log_softmax(wanted_.at(0) / heat, 1);
  const at::Tensor given = at::log_softmax(outputs.at(0) / heat, 1);
  const at::Tensor sum = at::kl_div(given, wanted, at::Reduction::Sum, /*log_target=*/true);
  return sum * (heat * heat / static_cast<double>(images.size(0)));
}

at::Tensor Teacher::feature_error(const std::vector<at::Tensor>& outputs) const {
  at::Tensor sum;
  for (size_t i = 1; i < outputs.size(); ++i) {
    const at::Tensor& wanted = wanted_.at(i);
    const at::Tensor error =
        at::mse_loss(outputs[i], wanted) / wanted.square().mean().clamp_min(1e-12);
    sum = sum.defined() ? sum + error : error;
  }
  return sum / static_cast<double>(features_.size());
}

std::vector<int64_t> Teacher::predictions(const at::Tensor& images) {
  const at::Tensor logits = run(images).at(0).contiguous();
  const auto classes = static_cast<size_t>(logits.size(1));
  std::vector<int64_t> found;
  for (int64_t i = 0; i < logits.size(0); ++i) {
    const float* row = logits.const_data_ptr<float>() + static_cast<size_t>(i) * classes;
    found.push_back(prediction({row, classes}));
  }
  return found;
}

}  // namespace octet
