#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/workplace.h"

namespace octet::test {

/// Runs a recipe on the network MODEL of the workplace with these settings of its calibration, with
/// an epoch of QAT behind it, and returns its report; both files are verified.
inline nlohmann::json trained_report(const Workplace& place, const std::string& model,
                                     const std::string& calibration) {
  place.write("recipe.yaml",
              "name: trained\nseed: 1\nmodel: " + model +
                  "\ndata: data.yaml\ntargets: [onnxruntime-cpu, tflite]\ncalibration: {" +
                  calibration +
                  "}\nqat: {epochs: 1, batch: 8}\nevaluation: {batch: 8, latency_runs: 1}\n");
  const auto ended = run_octet(words(place, "run @recipe.yaml --out @out"));
  EXPECT_EQ(ended.status, 0) << ended.err;
  if (ended.status != 0) return {};
  std::ifstream in(place.file("out/report.json"));
  nlohmann::json report = nlohmann::json::parse(in);
  EXPECT_EQ(report["certificates"].size(), 2U);
  for (const auto& certificate : report["certificates"]) EXPECT_EQ(certificate["passed"], true);
  return report;
}

}  // namespace octet::test
