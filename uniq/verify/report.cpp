#include "uniq/verify/report.h"

#include <nlohmann/json.hpp>

namespace uniq::verify {
namespace {

using Json = nlohmann::ordered_json;

Json compared_json(const Compared& compared) {
  return {{"values", compared.values},
          {"codes", compared.codes},
          {"codes_differing", compared.codes_differing},
          {"codes_at_bound", compared.codes_at_bound},
          {"largest_share", compared.largest_share}};
}

Json failure_json(const Failure& failure) {
  Json position = Json::object();
  for (const Coordinate& coordinate : failure.position)
    position[coordinate.name] = coordinate.value;
  return {{"proof", proof_name(failure.proof)},
          {"layer", failure.layer},
          {"what", failure.what},
          {"position", position},
          {"packed", failure.packed},
          {"trained", failure.trained},
          {"allowed", failure.allowed},
          {"kernel", failure.kernel}};
}

}  // namespace

std::string_view proof_name(Proof proof) {
  switch (proof) {
    case Proof::parameters:
      return "0";
    case Proof::layers:
      return "a";
    case Proof::free_run:
      break;
  }
  return "b";
}

std::string to_string(const Failure& failure) {
  std::string text = "proof (" + std::string(proof_name(failure.proof)) + "), layer " +
                     failure.layer + ": " + failure.what;
  const char* separator = " at ";
  for (const Coordinate& coordinate : failure.position) {
    text += separator + coordinate.name + " " + std::to_string(coordinate.value);
    separator = ", ";
  }
  text += " is " + failure.packed + ", expected " + failure.trained;
  if (!failure.allowed.empty()) text += ", allowed " + failure.allowed;
  if (!failure.kernel.empty()) text += " (" + failure.kernel + ")";
  return text;
}

std::string to_json(const Report& report) {
  Json json;
  json["proven"] = report.proven();
  json["layers"] = report.layers;
  json["parameters"] = report.parameters;
  json["instruction_sets"] = report.instruction_sets;
  json["kernels"] = report.kernels;
  json["pictures"] = report.pictures;
  json["random_pictures"] = report.random_pictures;
  json["seed"] = report.seed;
  json["sums"] = report.sums;
  json["layer_by_layer"] = compared_json(report.layer_by_layer);
  json["free_run"] = compared_json(report.free_run);
  json["free_run"]["instruction_set"] = report.free_run_instruction_set;
  json["free_run"]["pictures_differing"] = report.pictures_differing;
  json["free_run"]["largest_logit_share"] = report.largest_logit_share;
  json["free_run"]["top1_differing"] = report.top1_differing;
  json["free_run"]["top1_tied"] = report.top1_tied;
  json["failure"] = report.failure ? failure_json(*report.failure) : Json();
  return json.dump(2);
}

}  // namespace uniq::verify
