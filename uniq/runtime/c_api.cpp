#include <cfenv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/memory.h"
#include "uniq/base/version.h"
#include "uniq/format/packed_file.h"
#include "uniq/kernels/isa.h"
#include "uniq/runtime/network.h"
#include "uniq/runtime/session.h"
#include "uniq/runtime/tuned.h"
#include "uniq/runtime/uniq.h"

struct uniq_model {
  std::shared_ptr<const uniq::runtime::Network> network;
};

struct uniq_session {
  uniq::runtime::Session session;
};

namespace {

thread_local std::string last_error;

uniq_status fail(uniq_status status, const char* message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();  // no memory for the message: the status has to do
  }
  return status;
}

/// Arithmetic as C has it by default, for as long as this lives: the calling thread may round in
/// another direction, or take subnormal numbers as zeros, as any library built with -ffast-math
/// makes its loader do. Threads that are started meanwhile inherit it for good.
class DefaultArithmetic {
 public:
  DefaultArithmetic() {
    std::fegetenv(&before_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~DefaultArithmetic() { std::fesetenv(&before_); }
  DefaultArithmetic(const DefaultArithmetic&) = delete;
  DefaultArithmetic& operator=(const DefaultArithmetic&) = delete;

 private:
  std::fenv_t before_;
};

/// Runs `body`; what it throws becomes a status and a message.
template <class Body>
uniq_status guarded(Body body) noexcept {
  const DefaultArithmetic arithmetic;
  try {
    body();
    return UNIQ_OK;
  } catch (const uniq::UsageError& error) {
    return fail(UNIQ_WRONG_ARGUMENT, error.what());
  } catch (const uniq::MemoryError& error) {
    return fail(UNIQ_OUT_OF_MEMORY, error.what());
  } catch (const std::bad_alloc&) {
    return fail(UNIQ_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(UNIQ_FAILED, error.what());
  } catch (...) {
    return fail(UNIQ_FAILED, "an unknown failure");
  }
}

void require(const void* pointer, const char* name) {
  if (pointer == nullptr)
    throw uniq::UsageError(
        {.what = "a pointer is missing", .where = name, .got = "NULL", .expected = "an address"});
}

/// A model with the kernels that were tuned for all CPUs, if any were; a damaged file of them
/// counts as none.
uniq_model* make_model(uniq::format::PackedModel model) {
  const uniq::kernels::Isa isa = uniq::kernels::chosen_isa();
  const int threads = uniq::runtime::threads_of({});
  auto tuned = uniq::runtime::read_tuned(uniq::runtime::tuned_here(isa, threads)).tuned;
  return new uniq_model{std::make_shared<const uniq::runtime::Network>(
      std::move(model), uniq::runtime::NetworkOptions{.isa = isa, .tuned = std::move(tuned)})};
}

}  // namespace

const char* uniq_version(void) { return uniq::version().data(); }

const char* uniq_last_error(void) { return last_error.c_str(); }

uniq_status uniq_model_load(const char* path, uniq_model** model) {
  return guarded([&] {
    require(path, "path");
    require(model, "model");
    *model = make_model(uniq::format::read_packed(path));
  });
}

uniq_status uniq_model_load_memory(const void* bytes, size_t size, uniq_model** model) {
  return guarded([&] {
    require(bytes, "bytes");
    require(model, "model");
    const std::span file(static_cast<const std::byte*>(bytes), size);
    *model = make_model(uniq::format::read_packed(file, "memory"));
  });
}

void uniq_model_destroy(uniq_model* model) { delete model; }

uniq_picture_shape uniq_model_picture_shape(const uniq_model* model) {
  if (model == nullptr) return {0, 0, 0};
  const uniq::data::Preprocessing& p = model->network->model().preprocessing;
  return {p.channels, p.height, p.width};
}

int64_t uniq_model_classes(const uniq_model* model) {
  return model == nullptr ? 0 : model->network->classes();
}

const char* uniq_model_class_name(const uniq_model* model, int64_t index) {
  if (model == nullptr || index < 0) return "";
  const std::vector<std::string>& names = model->network->model().classes;
  return static_cast<std::size_t>(index) < names.size()
             ? names[static_cast<std::size_t>(index)].c_str()
             : "";
}

const char* uniq_model_isa(const uniq_model* model) {
  return model == nullptr ? "" : uniq::kernels::isa_name(model->network->isa()).data();
}

uniq_status uniq_session_create(const uniq_model* model, int threads, uniq_session** session) {
  return guarded([&] {
    require(model, "model");
    require(session, "session");
    *session = new uniq_session{uniq::runtime::Session(model->network, {.threads = threads})};
  });
}

void uniq_session_destroy(uniq_session* session) { delete session; }

uniq_status uniq_session_run(uniq_session* session, const uint8_t* pictures, size_t count,
                             float* logits) {
  return guarded([&] {
    require(session, "session");
    if (count == 0) return;
    require(pictures, "pictures");
    require(logits, "logits");
    const uniq::runtime::Network& network = session->session.network();
    const auto bytes = static_cast<std::size_t>(network.picture_bytes());
    const auto classes = static_cast<std::size_t>(network.classes());
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(float) / (bytes + classes))
      throw uniq::UsageError({.what = "too many pictures",
                              .where = "count",
                              .got = std::to_string(count),
                              .expected = "pictures that fit into memory"});
    session->session.run({pictures, count * bytes}, {logits, count * classes});
  });
}
