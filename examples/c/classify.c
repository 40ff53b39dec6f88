/* Classifies one picture given as raw bytes, [height][width][channels]:
 *
 *     classify model.uniq picture.raw
 *
 * A complete program in C against libuniq: load, run, report errors, free. */
#include <stdio.h>
#include <stdlib.h>
#include <uniq/runtime/uniq.h>

static int fail(const char* what) {
  fprintf(stderr, "classify: error: %s\n", what);
  return 1;
}

/* Reads exactly `size` bytes; 0 where the file holds fewer or more. */
static int read_picture(const char* path, uint8_t* bytes, size_t size) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) return 0;
  const size_t count = fread(bytes, 1, size, file);
  const int whole = count == size && fgetc(file) == EOF;
  fclose(file);
  return whole;
}

static int classify(uniq_session* session, const uniq_model* model, const uint8_t* picture,
                    float* logits) {
  if (uniq_session_run(session, picture, 1, logits) != UNIQ_OK) return fail(uniq_last_error());
  int64_t best = 0;
  for (int64_t i = 1; i < uniq_model_classes(model); ++i)
    if (logits[i] > logits[best]) best = i;
  printf("class %lld (%s), logit %g\n", (long long)best, uniq_model_class_name(model, best),
         (double)logits[best]);
  return 0;
}

int main(int count, char** arguments) {
  if (count != 3) return fail("expected: classify model.uniq picture.raw");
  uniq_model* model = NULL;
  if (uniq_model_load(arguments[1], &model) != UNIQ_OK) return fail(uniq_last_error());

  const uniq_picture_shape shape = uniq_model_picture_shape(model);
  const size_t size = (size_t)(shape.height * shape.width * shape.channels);
  uint8_t* picture = malloc(size);
  float* logits = malloc((size_t)uniq_model_classes(model) * sizeof(float));
  uniq_session* session = NULL;
  int status = 0;
  if (picture == NULL || logits == NULL) {
    status = fail("out of memory");
  } else if (!read_picture(arguments[2], picture, size)) {
    status = fail("the picture's file is missing or of another size than the model's pictures");
  } else if (uniq_session_create(model, 0, &session) != UNIQ_OK) {
    status = fail(uniq_last_error());
  } else {
    status = classify(session, model, picture, logits);
  }
  uniq_session_destroy(session);
  free(logits);
  free(picture);
  uniq_model_destroy(model);
  return status;
}
