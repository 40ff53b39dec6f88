#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "uniq/base/error.h"
#include "uniq/base/version.h"
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

/// Runs `body`; what it throws becomes a status and a message.
template <class Body>
uniq_status guarded(Body body) noexcept {
  try {
    body();
    return UNIQ_OK;
  } catch (const uniq::UsageError& error) {
    return fail(UNIQ_WRONG_ARGUMENT, error.what());
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

}  // namespace

const char* uniq_version(void) { return uniq::version().data(); }

const char* uniq_last_error(void) { return last_error.c_str(); }

uniq_status uniq_model_load(const char* path, uniq_model** model) {
  return guarded([&] {
    require(path, "path");
    require(model, "model");
    // What was tuned for all cores, if anything was; a file that is damaged counts as none.
    const uniq::kernels::Isa isa = uniq::kernels::chosen_isa();
    const int cores = uniq::runtime::threads_of({});
    auto tuned = uniq::runtime::read_tuned(uniq::runtime::tuned_here(isa, cores)).tuned;
    *model =
        new uniq_model{uniq::runtime::load_network(path, {.isa = isa, .tuned = std::move(tuned)})};
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
