// Any bytes as what a checkpoint holds to go on with: the first line is the JSON of `training`,
// each further line a tensor beside the network's,
//   <name behind "training."> <type> <sizes, with x between them, or -> <value of all elements>
// What is read, whatever the optimizer, is written and read again equal, and can be stood at.
#include <charconv>
#include <cstring>

#include "tests/format/small_checkpoint.h"
#include "tests/fuzz/fuzzer.h"
#include "uniq/resume/state.h"
#include "uniq/resume/training_tensors.h"

namespace uniq::resume {
namespace {

using format::DType;
using uniq::testing::require;
using uniq::testing::SmallTensors;

constexpr std::int64_t kMostElements = 4096;
constexpr std::int64_t kEpochs = 4;
constexpr std::int64_t kBatches = 10;

/// Takes what stands before the next `end` character.
std::string_view take(std::string_view& text, char end) {
  const std::size_t size = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, size);
  text.remove_prefix(std::min(size + 1, text.size()));
  return part;
}

template <class T>
T number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw Error("no number");
  return value;
}

DType dtype_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(DType::boolean); ++i) {
    if (format::dtype_name(static_cast<DType>(i)) == name) return static_cast<DType>(i);
  }
  throw Error("no type");
}

void add_tensor(std::string_view line, SmallTensors& tensors) {
  const std::string name = std::string(format::kTrainingPrefix) + std::string(take(line, ' '));
  const DType dtype = dtype_of(take(line, ' '));
  std::string_view sizes = take(line, ' ');
  std::vector<std::int64_t> shape;
  std::int64_t elements = 1;
  while (!sizes.empty() && sizes != "-") {
    shape.push_back(number<std::int64_t>(take(sizes, 'x')));
    if (shape.back() < 0 || shape.back() > kMostElements) throw Error("a large tensor");
    elements *= shape.back();
    if (elements > kMostElements) throw Error("a large tensor");
  }
  tensors.add(name, shape, dtype == DType::f32 ? number<float>(line) : 0.0f, dtype);
  if (dtype != DType::i64) return;
  const auto value = number<std::int64_t>(line);
  std::vector<std::byte>& data = tensors.data[name];
  for (std::size_t i = 0; i < data.size(); i += sizeof value) {
    std::memcpy(data.data() + i, &value, sizeof value);
  }
}

void read(const format::Safetensors& file, const format::CheckpointInfo& info,
          recipe::OptimizerKind kind) {
  const State state = state_of(info, "fuzz");
  check_training_tensors(file, info, {.kind = kind}, state.step);
  const std::string written = to_json(state);
  require(to_json(state_from_json(written, "again")) == written, "written and read again equal");
  for (const std::int64_t count :
       {state.epoch, state.batch, state.step, state.guarded, state.metrics.csv, state.metrics.jsonl,
        state.metrics.tensorboard}) {
    require(count >= 0, "no count below 0");
  }
  check_state(state, kEpochs, kBatches, "fuzz");
  require(state.epoch <= kEpochs && state.batch <= kBatches && state.best_epoch < kEpochs,
          "a place in the run");
}

void fuzz(std::string_view text) {
  static const uniq::testing::SmallCheckpoint network =
      uniq::testing::small_checkpoint(uniq::testing::two_bits());
  format::CheckpointInfo info = network.info;
  info.training = std::string(take(text, '\n'));
  SmallTensors tensors{.data = network.data, .tensors = network.tensors};
  while (!text.empty()) add_tensor(take(text, '\n'), tensors);
  const std::vector<std::byte> bytes = format::to_bytes(tensors.views(), {});
  const format::Safetensors file(bytes, "fuzz");
  if (!uniq::testing::is_read([&] { read(file, info, recipe::OptimizerKind::sgd); })) {
    read(file, info, recipe::OptimizerKind::adam);
  }
}

const uniq::testing::RegisterFuzzer kFuzzer("resume", fuzz);

}  // namespace
}  // namespace uniq::resume
