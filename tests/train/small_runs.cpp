#include "tests/train/small_runs.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "uniq/format/safetensors.h"

namespace uniq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kNetwork = R"(uniq-graph 1
input = input(channels=1, height=12, width=12)
conv1 = conv2d(input, out=8, kernel=3, padding=1)
bn1 = batch_norm(conv1)
relu1 = relu(bn1)
conv2 = conv2d(relu1, out=16, kernel=3, stride=2, padding=1)
bn2 = batch_norm(conv2)
relu2 = relu(bn2)
conv3 = conv2d(relu2, out=16, kernel=3, padding=1)
bn3 = batch_norm(conv3)
relu3 = relu(bn3)
pool = avg_pool(relu3)
flatten = flatten(pool)
drop = dropout(flatten, p=0.1)
fc = linear(drop, out=10)
output = output(fc)
)";

std::string recipe_text(const fs::path& folder) {
  return "seed: 3\nthreads: 1\nmodel: " + (folder / "small.graph").string() +
         "\ndata: {name: mnist, root: " + (folder / "data").string() +
         ", validation: 80, batch_size: 32}\n"
         "optimizer: {lr: 0.05}\n"
         "train: {epochs: 2, log_batches: 4, tensorboard: false}\n";
}

/// What must be equal of a checkpoint's metadata.
json comparable(const format::Safetensors& file, bool is_last) {
  json metadata = file.metadata();
  json training = json::parse(metadata.at("training").get<std::string>());
  training["state"].erase("seconds");
  if (!is_last) training["state"].erase("metrics");
  metadata["training"] = training;
  return metadata;
}

/// The result but for the time it took.
json comparable_result(const fs::path& folder) {
  json result = json_file(folder / "result.json");
  result.erase("seconds");
  return result;
}

}  // namespace

Settings operator+(const Settings& a, const Settings& b) {
  Settings all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

SmallRuns::SmallRuns(const SmallDigits& digits) {
  write_small_digits(folder_ / "data", digits);
  std::ofstream(folder_ / "small.graph") << kNetwork;
  std::ofstream(recipe_file()) << recipe_text(folder_.path());
}

recipe::Recipe SmallRuns::recipe(const Settings& settings) const {
  return recipe::read_recipe(recipe_file(), settings);
}

std::vector<std::string> SmallRuns::train_arguments(
    const std::string& run, const Settings& settings,
    const std::vector<std::string>& arguments) const {
  std::vector<std::string> all = {"train", recipe_file().string(), "--output",
                                  (folder_ / run).string()};
  for (const std::string& setting : settings) all.insert(all.end(), {"--set", setting});
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

ProgramResult SmallRuns::train(const std::string& run, const Settings& settings,
                               const std::vector<std::string>& arguments) const {
  return run_program(UNIQNN, train_arguments(run, settings, arguments), kPatientThreads);
}

train::RunResult SmallRuns::run(const std::string& run, const Settings& settings,
                                train::IfExists if_exists, train::Listener* listener,
                                const std::atomic<bool>* stop) const {
  return train::run(
      recipe(settings),
      {.folder = folder_ / run, .if_exists = if_exists, .stop = stop, .listener = listener});
}

ProgramResult uniqnn(const std::vector<std::string>& arguments, const std::string& isa) {
  ProgramOptions options = kPatientThreads;
  if (!isa.empty()) options.environment.push_back("UNIQ_ISA=" + isa);
  return run_program(UNIQNN, arguments, options);
}

std::string contents(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

json json_file(const fs::path& file) { return json::parse(contents(file)); }

json state_in(const fs::path& checkpoint) {
  const format::Safetensors file(checkpoint);
  return json::parse(file.metadata().at("training")).at("state");
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

::testing::AssertionResult same_checkpoint(const fs::path& actual, const fs::path& expected) {
  const format::Safetensors a(actual), b(expected);
  const auto differ = [&] {
    return ::testing::AssertionFailure() << actual << " is not as " << expected << ": ";
  };
  const bool is_last = expected.filename() == "last.safetensors";
  if (comparable(a, is_last) != comparable(b, is_last))
    return differ() << json::diff(comparable(b, is_last), comparable(a, is_last)).dump();
  if (a.tensors().size() != b.tensors().size()) return differ() << "number of tensors";
  for (const auto& [name, tensor] : b.tensors()) {
    const auto found = a.tensors().find(name);
    if (found == a.tensors().end()) return differ() << name << " is missing";
    const format::TensorView& other = found->second;
    if (other.dtype != tensor.dtype || other.shape != tensor.shape ||
        !std::ranges::equal(other.bytes, tensor.bytes))
      return differ() << name;
  }
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult same_run(const fs::path& actual, const fs::path& expected) {
  if (names_in(actual) != names_in(expected))
    return ::testing::AssertionFailure()
           << "other files: " << ::testing::PrintToString(names_in(actual));
  for (const std::string& name : names_in(expected)) {
    if (name.ends_with(".safetensors")) {
      const ::testing::AssertionResult same = same_checkpoint(actual / name, expected / name);
      if (!same) return same;
    } else if (name == "result.json") {
      if (comparable_result(actual) != comparable_result(expected))
        return ::testing::AssertionFailure() << contents(actual / name);
    } else if (!name.starts_with("events.") &&
               contents(actual / name) != contents(expected / name)) {
      return ::testing::AssertionFailure() << name << " is\n"
                                           << contents(actual / name) << "instead of\n"
                                           << contents(expected / name);
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace uniq::testing
