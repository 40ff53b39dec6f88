#include "uniq/base/version.h"

namespace uniq {

std::string_view version() { return UNIQ_VERSION; }

}  // namespace uniq
