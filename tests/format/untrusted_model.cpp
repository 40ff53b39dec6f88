#include "tests/format/untrusted_model.h"

#include <stdexcept>
#include <string>

#include "tests/format/describe_model.h"
#include "uniq/base/error.h"
#include "uniq/format/packed_file.h"

namespace uniq::testing {
namespace {

/// Touches every byte that the model points to.
std::string model_written_again(const format::PackedModel& model) {
  return describe(format::read_packed(format::to_bytes(model), "written again"));
}

}  // namespace

bool read_untrusted_model(std::span<const std::byte> bytes) {
  format::PackedModel model;
  try {
    model = format::read_packed(bytes, "untrusted");
  } catch (const Error&) {
    return false;  // with a message: what is meant to happen
  }
  if (model_written_again(model) != describe(model)) {
    throw std::logic_error("a model that was read is another one when written again");
  }
  return true;
}

}  // namespace uniq::testing
