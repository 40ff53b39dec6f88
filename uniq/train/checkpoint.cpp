#include "uniq/train/checkpoint.h"

#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <c10/util/Exception.h>

#include <nlohmann/json.hpp>

#include "uniq/base/error.h"
#include "uniq/quant/calibration.h"
#include "uniq/resume/training_tensors.h"
#include "uniq/train/tensors.h"

namespace uniq::train {
namespace {

using Json = nlohmann::ordered_json;

at::Generator generator() { return at::globalContext().defaultGenerator(at::kCPU); }

NamedTensors training_tensors(const nn::GraphModule& network, const Optimizer& optimizer) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : optimizer.state())
    tensors[resume::kOptimizerPrefix + name] = tensor;
  quant::for_each_quantizer(*network, [&](const std::string& path, quant::Quantizer& quantizer) {
    if (quantizer.guard_floor().defined())
      tensors[resume::kGuardPrefix + path] = quantizer.guard_floor();
  });
  tensors[resume::kRandomState] = generator().get_state();
  return tensors;
}

/// The bytes are LibTorch's own, and it alone knows which are right.
void set_random_state(const format::Safetensors& file) {
  try {
    generator().set_state(to_tensor(file.at(resume::kRandomState)));
  } catch (const c10::Error&) {
    throw Error({.what = "the state of the random number generator cannot be right",
                 .where = file.where() + ", tensor '" + resume::kRandomState + "'",
                 .remedy = "--overwrite to begin anew"});
  }
}

void check_graph(const format::CheckpointInfo& info, const nn::GraphModule& network,
                 const std::filesystem::path& path) {
  if (info.graph == network->graph()) return;
  throw Error({.what = "the checkpoint holds another network",
               .where = path.string(),
               .expected = "the network that the recipe names",
               .remedy = "uniqnn inspect on the checkpoint, or another train.start"});
}

Origin origin_from(const Json& training, const std::string& where) {
  try {
    Origin origin{.data = training.at("data").get<std::string>(),
                  .root = training.at("root").get<std::string>(),
                  .recipe = training.at("recipe").get<std::string>()};
    if (!training.contains("extended")) return origin;
    for (const Json& item : training.at("extended"))
      origin.extensions.push_back({.done = item.at("epochs_done").get<std::int64_t>(),
                                   .before = item.at("epochs_before").get<std::int64_t>(),
                                   .after = item.at("epochs_after").get<std::int64_t>()});
    return origin;
  } catch (const nlohmann::json::exception&) {
    throw Error({.what = "how the run was begun cannot be read",
                 .where = where,
                 .expected = "texts as data, root and recipe, and numbers of epochs as extended",
                 .remedy = "--overwrite to begin anew"});
  }
}

}  // namespace

std::string to_json(const std::vector<Extension>& extensions) {
  Json list = Json::array();
  for (const Extension& extension : extensions)
    list.push_back({{"epochs_done", extension.done},
                    {"epochs_before", extension.before},
                    {"epochs_after", extension.after}});
  return list.dump();
}

void save_checkpoint(const std::filesystem::path& path, format::CheckpointInfo info,
                     const nn::GraphModule& network, const Origin& origin, const State& state,
                     const Optimizer* optimizer) {
  Json training = {{"data", origin.data},
                   {"root", origin.root},
                   {"recipe", origin.recipe},
                   {"state", Json::parse(resume::to_json(state))}};
  if (!origin.extensions.empty()) training["extended"] = Json::parse(to_json(origin.extensions));
  info.training = training.dump();
  NamedTensors tensors = state_dict(*network);
  if (optimizer) tensors.merge(training_tensors(network, *optimizer));
  const NamedTensors copies = for_file(tensors);
  format::write_safetensors(path, views(copies), format::to_metadata(info));
}

Standing read_standing(const std::filesystem::path& path) {
  const format::Safetensors file(path);
  const format::CheckpointInfo info = format::read_checkpoint_info(file);
  const State state = resume::state_of(info, file.where());  // where this is read, it is an object
  return {.origin = origin_from(Json::parse(info.training), file.where()), .state = state};
}

State load_checkpoint(const std::filesystem::path& path, nn::GraphModule& network,
                      Optimizer& optimizer) {
  const format::Safetensors file(path);
  const format::CheckpointInfo info = format::read_checkpoint_info(file);
  check_graph(info, network, path);
  if (!(info.bit_plan == network->plan()))
    throw Error({.what = "the checkpoint has another bit plan than the recipe",
                 .where = path.string(),
                 .remedy = "--overwrite to begin anew, or another output folder"});
  const State state = resume::state_of(info, file.where());
  resume::check_training_tensors(file, info, optimizer.options(), state.step);
  const NamedTensors own = state_dict(*network);
  copy_network(own, file);
  NamedTensors optimizer_state;
  const std::string& prefix = resume::kOptimizerPrefix;
  for (const auto& [name, view] : file.tensors())
    if (name.starts_with(prefix) && !own.contains(name))  // a layer may be called so
      optimizer_state[name.substr(prefix.size())] = to_tensor(view);
  optimizer.load_state(optimizer_state);
  quant::for_each_quantizer(*network, [&](const std::string& name, quant::Quantizer& quantizer) {
    const auto guard = file.tensors().find(resume::kGuardPrefix + name);
    if (guard != file.tensors().end()) quantizer.set_guard_floor(to_tensor(guard->second));
  });
  set_random_state(file);
  return state;
}

bool start_from(const std::filesystem::path& path, nn::GraphModule& network) {
  const format::Safetensors file(path);
  const format::CheckpointInfo info = format::read_checkpoint_info(file);
  check_graph(info, network, path);
  const bool same_plan = info.bit_plan == network->plan();
  // What the network has in fp32 too; the others are the quantizers'.
  const auto in_fp32 =
      format::expected_tensors(network->graph(), graph::make_bit_plan(network->graph(), {}));
  NamedTensors taken = state_dict(*network);
  if (!same_plan)
    std::erase_if(taken, [&](const auto& entry) { return !in_fp32.contains(entry.first); });
  copy_network(taken, file);
  return same_plan;
}

}  // namespace uniq::train
