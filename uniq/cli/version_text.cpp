#include "uniq/cli/version_text.h"

#include "uniq/base/cpu.h"
#include "uniq/base/version.h"

namespace uniq::cli {

std::string version_text(const std::string& libtorch_line) {
  return "uniqnn " + std::string(version()) + "\n" + libtorch_line +
         "\nCPU: " + to_string(cpu_info()) + "\n";
}

}  // namespace uniq::cli
