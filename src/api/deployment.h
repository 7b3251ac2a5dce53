#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "formats/file_form.h"
#include "quant/place.h"

namespace octet {

/// What a user says about it, in words; empty words leave the choice to the targets.
struct DeploymentChoice {
  std::vector<std::string> targets = {};
  /// "per-channel" or "per-tensor"; of weight-only ranges "asymmetric" or "symmetric"
  std::string weights = {};
  std::string activations = {};  ///< "asymmetric" or "symmetric"; the former where nothing is said
  std::string io = {};           ///< "float", "int8" or "uint8"
  std::string saturation = {};   ///< "avoid" or "report"; the former where nothing is said
  std::string form = {};         ///< of ONNX files: "qdq" or "qoperator"; the former
  int activation_bits = 0;       ///< 8 or 16; 0: what the first target takes
  /// "static", "dynamic" or "weight-only"; the first where nothing is said
  std::string ranges = {};
  int weight_bits = 0;                   ///< 4 or 8; 0: 8, of weight-only ranges 4
  int64_t group_size = 0;                ///< of weight-only ranges: one of `kGroupSizes`; 0: 32
  std::vector<Override> overrides = {};  ///< what some nodes do otherwise
  std::string weight_range = {};         ///< "narrow" or "full"; the former where nothing is said
  std::string scales = {};               ///< "any" or "power-of-two"; the former
};

/// What a network is quantized for.
struct Deployment {
  TargetSet targets;
  Scheme scheme;
  std::vector<Override> overrides = {};
  FileForm form;
};

/// "float", "int8" or "uint8"; and back (Code::Usage for other words).
std::string io_text(Io io);
Io parse_io(const std::string& word);

/// "qdq" or "qoperator"; and back (Code::Usage for other words).
std::string form_text(OnnxForm form);
OnnxForm parse_form(const std::string& word);

/// How files for the targets are written, with these ends.
FileForm form_for(const TargetSet& targets, Io io);

/// Overrides as files carry them, one a line.
std::string overrides_text(const std::vector<Override>& overrides);
/// Throws Code::Usage as `parse_override`.
std::vector<Override> parse_overrides(const std::vector<std::string>& lines);

/// Throws Code::Usage for a word that is not known, and for a choice that a target cannot run.
Deployment deployment_of(const DeploymentChoice& choice);

/// What a file of ours says that it was made for: its properties "octet.targets", "octet.scheme",
/// "octet.overrides" and "octet.io". What it does not say is the default of the first target with
/// such files.
Deployment deployment_in(const Properties& properties, const std::filesystem::path& file);

/// The grid on which the integers of an input are raw pixels: real = (value/255 - mean) / deviation
/// for every channel, with value = integer + 128. Or why there is none.
std::expected<FixedGrid, std::string> pixel_grid(const DataSource& source);

}  // namespace octet
