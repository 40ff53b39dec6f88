// A checkpoint as a network.
#pragma once

#include <filesystem>
#include <string>

#include "uniq/format/checkpoint.h"
#include "uniq/nn/graph_module.h"

namespace uniq::train {

struct LoadedNetwork {
  format::CheckpointInfo info;
  nn::GraphModule network{nullptr};  ///< channels-last, in evaluation mode
};

/// Needs no recipe. Throws Error for a file that is no whole, fitting checkpoint.
LoadedNetwork load_network(const format::Safetensors& file, const std::string& device = "cpu");
LoadedNetwork load_network(const std::filesystem::path& path, const std::string& device = "cpu");

}  // namespace uniq::train
