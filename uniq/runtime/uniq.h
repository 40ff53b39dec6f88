/* uniq.h: running packed networks (.uniq files) from C, and from any language that calls C.
 *
 * Handles are opaque; every function that can fail returns a uniq_status, and uniq_last_error()
 * says more. No exception leaves the library, and it never prints nor exits.
 *
 *   uniq_model* model = NULL;
 *   uniq_session* session = NULL;
 *   if (uniq_model_load("model.uniq", &model) != UNIQ_OK ||
 *       uniq_session_create(model, 0, &session) != UNIQ_OK ||
 *       uniq_session_run(session, pixels, 1, logits) != UNIQ_OK)
 *     fprintf(stderr, "%s\n", uniq_last_error());
 *   uniq_session_destroy(session);
 *   uniq_model_destroy(model);
 *
 * Threads: a model may be used by several threads at once, a session by one at a time; sessions of
 * one model run side by side. The instruction set is the best that the CPU has, or the one that the
 * environment variable UNIQ_ISA names when the model is loaded (scalar, avx2, avx2_vnni, avx512,
 * avx512_vnni, neon, neon_dot). Kernels that `uniqnn bench --tune` timed on this machine, on all
 * usable CPUs, are used where it did; UNIQ_CACHE=off ignores them. Results do not depend on either.
 *
 * Nothing is shared with other users of the library in the process but what never changes once it
 * is there (what the CPU can do, tables of kernels): no locale, no signal, no file descriptor that
 * stays open, and errors are kept by thread. It reads the environment (UNIQ_ISA, UNIQ_CACHE,
 * XDG_CACHE_HOME, HOME) only while it loads a model.
 */
#ifndef UNIQ_H
#define UNIQ_H

/* NOLINTBEGIN(modernize-deprecated-headers): this is C */
#include <stddef.h>
#include <stdint.h>
/* NOLINTEND(modernize-deprecated-headers) */

#if defined(__GNUC__)
#define UNIQ_API __attribute__((visibility("default")))
#else
#define UNIQ_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum uniq_status {
  UNIQ_OK = 0,
  UNIQ_FAILED = 1,         /* a file that cannot be read or is none, threads that cannot be had */
  UNIQ_WRONG_ARGUMENT = 2, /* a null pointer, a number out of range, an unknown UNIQ_ISA */
  UNIQ_OUT_OF_MEMORY = 3
} uniq_status;

typedef struct uniq_model uniq_model;
typedef struct uniq_session uniq_session;

/* Shape of the pictures, in bytes [height][width][channels] from row to row without gaps, values
 * 0..255 as in the picture's file; normalisation is the model's business. */
typedef struct uniq_picture_shape {
  int64_t channels;
  int64_t height;
  int64_t width;
} uniq_picture_shape;

/* "0.1.0". */
UNIQ_API const char* uniq_version(void);

/* What the last function that failed on this thread had to say; "" where none has. Valid until the
 * next failure on this thread. */
UNIQ_API const char* uniq_last_error(void);

/* Reads, validates and prepares a file. On success *model is a new model, to be destroyed by the
 * caller; else it is untouched. After that nothing depends on the file: it may be written over, cut
 * or removed. One that is written to while it is read gives an error; to replace a file that
 * programs may be loading, write another and rename it. */
UNIQ_API uniq_status uniq_model_load(const char* path, uniq_model** model);

/* The same for the bytes of a file in memory, at any address. They are copied: the caller may free
 * or change them as soon as this returns. size 0 is a file without bytes; bytes must not be NULL.
 */
UNIQ_API uniq_status uniq_model_load_memory(const void* bytes, size_t size, uniq_model** model);

/* NULL does nothing. Sessions keep what they need of their model: it may be destroyed before them.
 */
UNIQ_API void uniq_model_destroy(uniq_model* model);

UNIQ_API uniq_picture_shape uniq_model_picture_shape(const uniq_model* model);

/* Number of classes, that is of logits per picture. */
UNIQ_API int64_t uniq_model_classes(const uniq_model* model);

/* Name of a class, in UTF-8, valid as long as the model; "" where the model does not name it. */
UNIQ_API const char* uniq_model_class_name(const uniq_model* model, int64_t index);

/* "scalar", "avx2", ...: the instruction set that was chosen. */
UNIQ_API const char* uniq_model_isa(const uniq_model* model);

/* threads: 1 to 256, the caller's own included; 0 for as many CPUs as the calling thread may use:
 * those of its affinity mask, limited by the CPU quota of the process's control group. All memory
 * that running takes is allocated here. */
UNIQ_API uniq_status uniq_session_create(const uniq_model* model, int threads,
                                         uniq_session** session);

/* NULL does nothing. */
UNIQ_API void uniq_session_destroy(uniq_session* session);

/* pictures: count pictures of the model's shape, one behind the other. logits: room for
 * count * uniq_model_classes() floats, [picture][class]. Allocates nothing. */
UNIQ_API uniq_status uniq_session_run(uniq_session* session, const uint8_t* pictures, size_t count,
                                      float* logits);

#ifdef __cplusplus
}
#endif

#endif /* UNIQ_H */
