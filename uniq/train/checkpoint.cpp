#include "uniq/train/checkpoint.h"

#include <ATen/Context.h>
#include <ATen/core/Generator.h>

#include <nlohmann/json.hpp>

#include "uniq/base/error.h"
#include "uniq/quant/calibration.h"
#include "uniq/train/tensors.h"

namespace uniq::train {
namespace {

const std::string kPrefix{format::kTrainingPrefix};
const std::string kOptimizer = kPrefix + "optimizer.";
const std::string kGuard = kPrefix + "guard.";
const std::string kRandom = kPrefix + "random";

at::Generator generator() { return at::globalContext().defaultGenerator(at::kCPU); }

NamedTensors training_tensors(const nn::GraphModule& network, const Optimizer& optimizer) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : optimizer.state()) tensors[kOptimizer + name] = tensor;
  quant::for_each_quantizer(*network, [&](const std::string& path, quant::Quantizer& quantizer) {
    if (quantizer.guard_floor().defined()) tensors[kGuard + path] = quantizer.guard_floor();
  });
  tensors[kRandom] = generator().get_state();
  return tensors;
}

void check_graph(const format::CheckpointInfo& info, const nn::GraphModule& network,
                 const std::filesystem::path& path) {
  if (info.graph == network->graph()) return;
  throw Error({.what = "the checkpoint holds another network",
               .where = path.string(),
               .expected = "the network that the recipe names",
               .remedy = "uniqnn inspect on the checkpoint, or another train.start"});
}

State state_of(const format::CheckpointInfo& info, const std::string& where) {
  const auto training = nlohmann::json::parse(info.training, nullptr, /*allow_exceptions=*/false);
  if (!training.is_object() || !training.contains("state"))
    throw Error({.what = "the checkpoint does not say where its run stood", .where = where});
  return state_from_json(training["state"].dump(), where);
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
  const State state = state_of(info, path.string());
  for (const auto& [name, tensor] : state_dict(*network))
    copy_into(tensor, file.at(name), file.where());
  NamedTensors optimizer_state;
  for (const auto& [name, view] : file.tensors())
    if (name.rfind(kOptimizer, 0) == 0)
      optimizer_state[name.substr(kOptimizer.size())] = to_tensor(view);
  optimizer.load_state(optimizer_state);
  quant::for_each_quantizer(*network, [&](const std::string& name, quant::Quantizer& quantizer) {
    if (file.tensors().count(kGuard + name) != 0)
      quantizer.set_guard_floor(to_tensor(file.at(kGuard + name)));
  });
  generator().set_state(to_tensor(file.at(kRandom)));
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
