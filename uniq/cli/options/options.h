// What each command was asked to do: plain values, filled by parse.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace uniq::cli {

struct TrainOptions {
  std::string recipe;
  std::vector<std::string> settings;  ///< "key=value", applied over the recipe's
  bool resume = false;
  bool extend = false;  ///< with resume
  bool overwrite = false;
  std::string output;  ///< folder of the run; empty: the recipe's
  std::string device = "cpu";
  int threads = 0;  ///< 0: the recipe's
  bool quiet = false;
  bool json = false;
};

struct EvalOptions {
  std::string file;  ///< a checkpoint or a packed model
  std::string data;  ///< empty: the data set the checkpoint was trained on
  std::string root;
  std::string split = "test";
  std::int64_t batch = 256;    ///< of a checkpoint
  std::string device = "cpu";  ///< of a checkpoint
  int threads = 0;             ///< 0: all usable CPUs
  bool per_class = false;
  bool quiet = false;
  bool json = false;
};

struct PackOptions {
  std::string checkpoint;
  std::string random;             ///< a built-in network instead of a checkpoint
  std::string bits;               ///< of that network: "w2a2"
  std::string ends;               ///< its first and last layer: "8", "fp32"; empty: 8
  std::string shortcut = "body";  ///< its shortcuts' convolutions: "body", "fp32"
  std::string output;
  bool json = false;
};

struct VerifyOptions {
  std::string checkpoint;
  std::string model;
  std::string data;  ///< empty: random pictures
  std::string root;
  std::string split = "test";
  std::int64_t pictures = 64;  ///< of the data set, its first
  std::int64_t random = -1;    ///< random pictures; -1: 16 where there is no data set, else none
  int threads = 0;             ///< 0: all usable CPUs
  bool quiet = false;
  bool json = false;
};

struct RunOptions {
  std::string model;
  std::vector<std::string> images;
  std::int64_t top = 5;
  std::int64_t first = 0;  ///< of the pictures of each file; 0: all
  int threads = 0;         ///< 0: all usable CPUs
  bool json = false;
};

struct BenchOptions {
  std::string file;  ///< a packed model or a checkpoint
  bool layers = false;
  bool explain = false;
  bool tune = false;
  std::vector<std::string> without = {};
  int threads = 0;        ///< 0: all usable CPUs
  std::int64_t runs = 0;  ///< 0: at least 20, and about two seconds
  bool json = false;
};

struct SummaryOptions {
  std::string file;
  std::vector<std::string> settings;
  bool json = false;
};

struct InspectOptions {
  std::string file;
  bool json = false;
};

struct CompletionsOptions {
  std::string shell;
};

struct Options {
  TrainOptions train;
  EvalOptions eval;
  SummaryOptions summary;
  PackOptions pack;
  VerifyOptions verify;
  RunOptions run;
  BenchOptions bench;
  InspectOptions inspect;
  CompletionsOptions completions;
};

}  // namespace uniq::cli
