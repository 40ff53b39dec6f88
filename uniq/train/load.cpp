#include "uniq/train/load.h"

#include <c10/util/Exception.h>

#include "uniq/base/error.h"
#include "uniq/train/device.h"
#include "uniq/train/tensors.h"

namespace uniq::train {

LoadedNetwork load_network(const std::filesystem::path& path, const std::string& device) {
  return load_network(format::Safetensors(path), device);
}

LoadedNetwork load_network(const format::Safetensors& file, const std::string& device) {
  LoadedNetwork loaded{.info = format::read_checkpoint_info(file)};
  loaded.network = nn::GraphModule(loaded.info.graph, loaded.info.bit_plan);
  copy_network(state_dict(*loaded.network), file);
  place(*loaded.network, parse_device(device));
  loaded.network->eval();
  return loaded;
}

}  // namespace uniq::train
