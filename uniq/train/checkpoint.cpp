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

bool is_step(const std::string& name) {
  return name.find(".quan_w.") != std::string::npos || name.find(".quan_a.") != std::string::npos;
}

/// The bytes are LibTorch's own, and it alone knows which are right.
void set_random_state(const format::Safetensors& file) {
  try {
    generator().set_state(to_tensor(file.at(resume::kRandomState)));
  } catch (const c10::Error& error) {
    throw Error({.what = "the random number generator's state cannot be read",
                 .where = file.where() + ", tensor " + resume::kRandomState,
                 .got = error.what_without_backtrace(),
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

}  // namespace

void save_checkpoint(const std::filesystem::path& path, format::CheckpointInfo info,
                     const nn::GraphModule& network, const Origin& origin, const State& state,
                     const Optimizer* optimizer) {
  const nlohmann::ordered_json training = {
      {"data", origin.data},
      {"root", origin.root},
      {"recipe", origin.recipe},
      {"state", nlohmann::ordered_json::parse(to_json(state))}};
  info.training = training.dump();
  NamedTensors tensors = state_dict(*network);
  if (optimizer) tensors.merge(training_tensors(network, *optimizer));
  const NamedTensors copies = for_file(tensors);
  format::write_safetensors(path, views(copies), format::to_metadata(info));
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
  for (const auto& [name, tensor] : own) copy_into(tensor, file.at(name), file.where());
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
  for (const auto& [name, tensor] : state_dict(*network))
    if (same_plan || !is_step(name)) copy_into(tensor, file.at(name), file.where());
  return same_plan;
}

}  // namespace uniq::train
