// Which kernel was found to be the fastest of a convolution on this machine, and the file that
// keeps it: <cache>/tuned-<instruction set>-<threads>.txt, with <cache> being UNIQ_CACHE in the
// environment, else $XDG_CACHE_HOME/uniqnn, else ~/.cache/uniqnn. UNIQ_CACHE=off: none.
//
//   uniqnn tuned kernels 1
//   version 0.1.0
//   cpu AMD EPYC 9354 32-Core Processor
//   features avx2 fma ...
//   isa avx512_vnni
//   threads 2
//   conv <conv_key> <kernel> [<kernel>=<ms> ...]
//   ...
//   end <number of convs> <CRC-32C of all lines before, 8 hexadecimal digits>
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "uniq/kernels/conv.h"

namespace uniq::runtime {

/// Of one convolution.
struct TunedConv {
  std::string kernel;                             ///< to be taken
  std::map<std::string, double, std::less<>> ms;  ///< of what was timed, with its epilogue
  bool operator==(const TunedConv&) const = default;
};

/// By conv_key.
using Tuned = std::map<std::string, TunedConv, std::less<>>;

/// Shape, bits and grids of a convolution, without blanks:
/// "w2-mid-rise,a2-unsigned,pad-1,64x56x56,64x56x56,k3x3,s1x1,p1x1,d1x1,g1".
std::string conv_key(const kernels::CodeConv& conv);

/// What the times hold for.
struct TunedFor {
  std::string version;
  std::string cpu;
  std::string features;
  std::string isa;
  int threads = 1;
};
/// This machine and program.
TunedFor tuned_here(kernels::Isa isa, int threads);

std::string tuned_text(const Tuned& tuned, const TunedFor& of);

/// Throws Error where the text is damaged, or is of another machine or version. `file`: for
/// messages.
Tuned parse_tuned(std::string_view text, const TunedFor& here, const std::string& file);

/// Where the file stands; empty where there is no folder for it, or it is switched off.
std::filesystem::path tuned_path(const TunedFor& here);

struct TunedFile {
  std::shared_ptr<const Tuned> tuned;  ///< null where there is none that can be used
  std::string warning;                 ///< why a file that is there cannot be used
};
TunedFile read_tuned(const TunedFor& here);

/// Adds to what the file holds, or replaces it where it cannot be used; makes its folder. Throws
/// Error where it cannot be written.
std::filesystem::path write_tuned(const Tuned& tuned, const TunedFor& here);

}  // namespace uniq::runtime
