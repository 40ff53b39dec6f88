#include "uniq/data/loader.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/data/batch_maker.h"

namespace uniq::data {
namespace {

constexpr char kLoading[] = "data loader";
constexpr int kMaxWorkers = 256;
constexpr int kMaxPad = 4096;

void check_option(std::int64_t value, std::int64_t lowest, std::int64_t highest,
                  const std::string& name) {
  if (value >= lowest && value <= highest) return;
  throw UsageError(ErrorText{name + " out of range", kLoading, std::to_string(value),
                             std::to_string(lowest) + " to " + std::to_string(highest), ""});
}

void check_options(const LoaderOptions& options) {
  check_option(options.batch_size, 1, std::int64_t{1} << 24, "batch_size");
  check_option(options.workers, 0, kMaxWorkers, "workers");
  check_option(options.augmentation.pad, 0, kMaxPad, "augmentation.pad");
  check_option(options.augmentation.cutout, 0, std::int64_t{1} << 24, "augmentation.cutout");
}

std::string shape_text(std::int64_t channels, std::int64_t height, std::int64_t width) {
  return std::to_string(channels) + "x" + std::to_string(height) + "x" + std::to_string(width);
}

void check_shapes(const Dataset& dataset, const Preprocessing& preprocessing) {
  validate(preprocessing, kLoading);
  const std::string got = shape_text(dataset.channels, dataset.height, dataset.width);
  const std::string expected =
      shape_text(preprocessing.channels, preprocessing.height, preprocessing.width);
  if (got != expected) throw Error({"pictures of another size", kLoading, got, expected, ""});
}

void check_indices(const Dataset& dataset, const std::vector<std::int64_t>& indices) {
  for (const std::int64_t index : indices) {
    if (index >= 0 && index < dataset.count()) continue;
    throw Error({"picture out of range", kLoading, "picture " + std::to_string(index),
                 "0 to " + std::to_string(dataset.count() - 1), ""});
  }
}

std::int64_t count_batches(std::int64_t pictures, const LoaderOptions& options) {
  const std::int64_t rest = pictures % options.batch_size;
  const std::int64_t batches = pictures / options.batch_size + (rest > 0 && !options.drop_last);
  if (batches > 0) return batches;
  throw Error({"not one batch", kLoading, std::to_string(pictures) + " pictures",
               "at least " + std::to_string(options.drop_last ? options.batch_size : 1),
               pictures > 0 ? "a smaller data.batch_size, or data.drop_last=false" : ""});
}

// A place for one batch. `ready` belongs to the loader's mutex; the rest to the worker that fills
// the slot until it is ready, then to the consumer.
struct Slot {
  Batch batch;
  std::exception_ptr error;
  bool ready = false;
};

}  // namespace

// Batch i of an epoch is made in slot i % slots. Batches released_..given_-1 are with the consumer
// (at most one), given_..taken_-1 are ready or being made, and a worker may take batch taken_ while
// its slot is free.
struct Loader::State {
  State(const Dataset& dataset, std::vector<std::int64_t> pictures,
        const Preprocessing& preprocessing, const LoaderOptions& loader_options)
      : options(loader_options),
        indices(std::move(pictures)),
        batches(count_batches(static_cast<std::int64_t>(indices.size()), options)),
        maker(dataset, preprocessing, options),
        // One with the consumer, one ready, and one in the hands of each worker.
        slots(static_cast<std::size_t>(options.workers > 0 ? options.workers + 2 : 1)) {}
  ~State() { stop(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void run_workers();
  void stop();
  void work();
  void make(std::int64_t index, Slot& slot) const;
  void order_epoch(std::int64_t next_epoch);
  Slot& slot_of(std::int64_t index) {
    return slots[static_cast<std::size_t>(index) % slots.size()];
  }
  bool can_take() const {
    return taken < end && taken < released + static_cast<std::int64_t>(slots.size());
  }
  const Batch* give(Slot& slot);

  const LoaderOptions options;
  const std::vector<std::int64_t> indices;
  const std::int64_t batches;
  const BatchMaker maker;
  // Read by busy workers, changed only while there are none.
  std::vector<std::int64_t> order;
  std::int64_t epoch = -1;

  std::mutex mutex;
  std::condition_variable can_work;
  std::condition_variable made;
  std::vector<Slot> slots;
  std::int64_t released = 0;
  std::int64_t given = 0;
  std::int64_t taken = 0;
  std::int64_t end = 0;
  int busy = 0;
  bool stopping = false;
  std::vector<std::thread> threads;
};

void Loader::State::run_workers() {
  try {
    for (int i = 0; i < options.workers; ++i) threads.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    throw Error({"cannot start a worker thread", kLoading, error.what(),
                 std::to_string(options.workers) + " threads", "fewer data.workers"});
  }
}

void Loader::State::stop() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
  }
  can_work.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void Loader::State::work() {
  std::unique_lock lock(mutex);
  while (true) {
    can_work.wait(lock, [this] { return stopping || can_take(); });
    if (stopping) return;
    const std::int64_t index = taken++;
    ++busy;
    Slot& slot = slot_of(index);
    lock.unlock();
    make(index, slot);
    lock.lock();
    slot.ready = true;
    --busy;
    made.notify_one();
  }
}

void Loader::State::make(std::int64_t index, Slot& slot) const {
  slot.error = nullptr;
  try {
    maker.make(order, epoch, index, slot.batch);
  } catch (...) {
    slot.error = std::current_exception();
  }
}

void Loader::State::order_epoch(std::int64_t next_epoch) {
  if (next_epoch == epoch) return;
  order = indices;
  epoch = next_epoch;
  if (!options.shuffle) return;
  Random random(options.seed, Stream::epoch_order, {static_cast<std::uint64_t>(epoch)});
  shuffle(std::span(order), random);
}

// A batch that failed stays where it is: asked again, it fails again.
const Batch* Loader::State::give(Slot& slot) {
  if (slot.error) std::rethrow_exception(slot.error);
  slot.ready = false;
  ++given;
  return &slot.batch;
}

Loader::Loader(const Dataset& dataset, std::vector<std::int64_t> indices,
               const Preprocessing& preprocessing, const LoaderOptions& options) {
  check_options(options);
  check_shapes(dataset, preprocessing);
  check_indices(dataset, indices);
  state_ = std::make_unique<State>(dataset, std::move(indices), preprocessing, options);
  state_->run_workers();
}

Loader::~Loader() = default;

std::int64_t Loader::batches() const { return state_->batches; }

std::int64_t Loader::pictures() const {
  const auto all = static_cast<std::int64_t>(state_->indices.size());
  return std::min(all, state_->batches * state_->options.batch_size);
}

std::int64_t Loader::last_batch() const {
  return pictures() - (batches() - 1) * state_->options.batch_size;
}

void Loader::start(std::int64_t epoch, std::int64_t first_batch) {
  State& state = *state_;
  if (epoch < 0) throw Error({"no such epoch", kLoading, std::to_string(epoch), "0 or more", ""});
  if (first_batch < 0 || first_batch > state.batches) {
    throw Error({"no such batch", kLoading, std::to_string(first_batch),
                 "0 to " + std::to_string(state.batches), ""});
  }
  std::unique_lock lock(state.mutex);
  state.end = 0;  // no worker takes another batch
  state.made.wait(lock, [&] { return state.busy == 0; });
  for (Slot& slot : state.slots) slot.ready = false;
  state.order_epoch(epoch);
  state.released = state.given = state.taken = first_batch;
  state.end = state.batches;
  state.can_work.notify_all();
}

const Batch* Loader::next() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  state.released = state.given;
  state.can_work.notify_one();
  if (state.given >= state.end) return nullptr;
  Slot& slot = state.slot_of(state.given);
  if (state.threads.empty()) {
    state.make(state.given, slot);
  } else {
    state.made.wait(lock, [&] { return slot.ready; });
  }
  return state.give(slot);
}

}  // namespace uniq::data
