#include "uniq/cli/options/declare.h"

#include <memory>
#include <string>
#include <vector>

#include "uniq/base/text.h"
#include "uniq/base/thread_pool.h"
#include "uniq/base/version.h"
#include "uniq/cli/options/help.h"
#include "uniq/cli/options/validators.h"
#include "uniq/data/dataset.h"
#include "uniq/models/models.h"

namespace uniq::cli {
namespace {

constexpr int kMostThreads = 1024;
constexpr std::int64_t kMostPictures = 1 << 20;
constexpr std::int64_t kMostRuns = 1 << 20;
constexpr std::int64_t kLargestBatch = 1 << 20;
constexpr const char* kDeviceType = "cpu|cuda|cuda:N";

/// An option with one value; given twice, the last counts, as scripts expect.
template <class Value>
CLI::Option* add_value(CLI::App& command, const std::string& name, Value& value,
                       const std::string& type, const std::string& description) {
  return command.add_option(name, value, description)->type_name(type)->take_last();
}

CLI::Option* add_choice(CLI::App& command, const std::string& name, std::string& value,
                        const std::vector<std::string>& choices, const std::string& description) {
  const std::string type = join(choices, std::string(1, kChoiceSeparator));
  return add_value(command, name, value, type, description)->check(one_of(choices));
}

void add_file(CLI::App& command, const std::string& name, std::string& file,
              const std::string& description) {
  command.add_option(name, file, description)->type_name(kFileType)->required()->check(not_empty());
}

void add_settings(CLI::App& command, std::vector<std::string>& settings) {
  command.add_option("--set", settings, "Change a key of the recipe; may be given several times")
      ->type_name(kSettingType)
      ->allow_extra_args(false)
      ->check(setting());
}

void add_device_and_threads(CLI::App& command, std::string& device, int& threads,
                            const std::string& default_threads) {
  add_value(command, "--device", device, kDeviceType, "Where to compute [cpu]")
      ->check(device_name());
  add_value(command, "--threads", threads, "N", "Threads of the CPU [" + default_threads + "]")
      ->check(whole_number(1, kMostThreads));
}

/// Of a packed model, which runs on threads of its own.
void add_runtime_threads(CLI::App& command, int& threads) {
  add_value(command, "--threads", threads, "N", "Threads of the CPU [all usable CPUs]")
      ->check(whole_number(1, kMaxThreads));
}

/// --root and --split, beside --data.
void add_data_set(CLI::App& command, std::string& root, std::string& split,
                  const std::string& default_root) {
  add_value(command, "--root", root, kFolderType, "Folder of the data set [" + default_root + "]")
      ->check(not_empty());
  add_choice(command, "--split", split, {"test", "train"}, "Which part of the data set [test]");
}

void add_json(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "Results as JSON, for machines")->disable_flag_override();
}

void add_quiet(CLI::App& command, bool& quiet) {
  command.add_flag("-q,--quiet", quiet, "No progress and no log")->disable_flag_override();
}

void declare_train(CLI::App& app, TrainOptions& options) {
  CLI::App& command =
      *app.add_subcommand("train", "Train a network by a recipe, fp32 or quantized");
  add_file(command, "RECIPE", options.recipe,
           "What to train, on what and how: a YAML file; - is standard input");
  add_settings(command, options.settings);
  CLI::Option* resume =
      command.add_flag("--resume", options.resume, "Go on with the run in its folder")
          ->disable_flag_override();
  command
      .add_flag("--extend", options.extend,
                "With --resume: go on to more train.epochs, although the schedule changes")
      ->disable_flag_override()
      ->needs(resume);
  command.add_flag("--overwrite", options.overwrite, "Begin anew where the folder holds a run")
      ->disable_flag_override()
      ->excludes(resume);
  add_value(command, "-o,--output", options.output, kFolderType,
            "Folder of the run [the recipe's, or runs/ and the recipe's name]")
      ->check(not_empty());
  add_device_and_threads(command, options.device, options.threads, "the recipe's");
  add_quiet(command, options.quiet);
  add_json(command, options.json);
  command.footer(
      "Ctrl-C ends the batch, saves, and says how to go on; a second one quits at once.\n\n"
      "Examples:\n"
      "  uniqnn train recipe.yaml\n"
      "  uniqnn train recipe.yaml --set train.epochs=3 optimizer.lr=0.05\n"
      "  uniqnn train recipe.yaml --output runs/second --set seed=1\n"
      "  uniqnn train recipe.yaml --resume\n"
      "  uniqnn train recipe.yaml --resume --extend --set train.epochs=30");
}

void declare_eval(CLI::App& app, EvalOptions& options) {
  CLI::App& command =
      *app.add_subcommand("eval", "Accuracy of a checkpoint or a packed model on a data set");
  add_file(command, "FILE", options.file, "A checkpoint or a packed model; told by its contents");
  add_choice(command, "--data", options.data, data::dataset_names(),
             "Data set [the one the checkpoint was trained on; a packed model needs one]");
  add_data_set(command, options.root, options.split, "the one of the training, or the usual one");
  add_value(command, "--batch", options.batch, "N", "Pictures at once, of a checkpoint [256]")
      ->check(whole_number(1, kLargestBatch));
  add_device_and_threads(command, options.device, options.threads, "all usable CPUs");
  command.add_flag("--per-class", options.per_class, "Accuracy of each class too")
      ->disable_flag_override();
  add_quiet(command, options.quiet);
  add_json(command, options.json);
  command.footer(
      "Examples:\n"
      "  uniqnn eval runs/recipe/best.safetensors\n"
      "  uniqnn eval runs/recipe/best.safetensors --per-class\n"
      "  uniqnn eval best.safetensors --data cifar10 --root cifar-10-batches-bin --json\n"
      "  uniqnn eval model.uniq --data fashion_mnist --threads 2");
}

/// Instead of a checkpoint.
void add_random_network(CLI::App& command, PackOptions& options) {
  CLI::Option* checkpoint =
      command.add_option("CHECKPOINT", options.checkpoint, "A file that `uniqnn train` wrote")
          ->type_name(kFileType)
          ->check(not_empty());
  CLI::Option* random = add_choice(command, "--random", options.random, models::model_names(),
                                   "Instead of a checkpoint a built-in network with random weights")
                            ->excludes(checkpoint);
  CLI::Option* bits = add_value(command, "--bits", options.bits, "wXaY|fp32",
                                "Its weights' and activations' bits, such as w2a2")
                          ->check(widths())
                          ->needs(random);
  random->needs(bits);
  add_choice(command, "--ends", options.ends, {"8", "fp32"}, "Its first and last layer [8]")
      ->needs(random);
  add_choice(command, "--shortcut", options.shortcut, {"body", "fp32"},
             "Its shortcuts' convolutions [body: --bits]")
      ->needs(random);
  command.final_callback([checkpoint, random] {
    if (checkpoint->count() + random->count() == 0)
      throw CLI::RequiredError(checkpoint->get_name());
  });
}

void declare_pack(CLI::App& app, PackOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "pack", "A checkpoint as a small file of integer codes that runs without LibTorch");
  add_random_network(command, options);
  add_value(command, "-o,--output", options.output, kFileType,
            "The packed model's file; it has to be named")
      ->required()
      ->check(not_empty());
  add_json(command, options.json);
  command.footer(
      "Prints where every byte of the file went; docs/format.md specifies it.\n"
      "--random makes what speed can be measured with before anything is trained.\n\n"
      "Examples:\n"
      "  uniqnn pack runs/recipe/best.safetensors -o model.uniq\n"
      "  uniqnn pack best.safetensors --output model.uniq --json\n"
      "  uniqnn pack --random preact_resnet18 --bits w2a2 -o model.uniq\n"
      "  uniqnn pack --random mobilenetv2 --bits w8a8 --ends fp32 -o model.uniq");
}

void declare_verify(CLI::App& app, VerifyOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "verify", "Proof that a packed model computes what was trained, layer by layer");
  add_file(command, "CHECKPOINT", options.checkpoint, "A file that `uniqnn train` wrote");
  add_file(command, "MODEL", options.model, "What `uniqnn pack` made of it");
  add_choice(command, "--data", options.data, data::dataset_names(),
             "Pictures of this data set [random ones]");
  add_data_set(command, options.root, options.split, "the usual one");
  add_value(command, "--pictures", options.pictures, "N", "How many of it, from the first [64]")
      ->check(whole_number(1, kMostPictures));
  add_value(command, "--random", options.random, "N",
            "How many random pictures [16 without --data, else none]")
      ->check(whole_number(0, kMostPictures));
  add_runtime_threads(command, options.threads);
  add_quiet(command, options.quiet);
  add_json(command, options.json);
  command.footer(
      "Exit code 0 where it is proven, 1 where it is not; docs/verify.md says what is proven.\n\n"
      "Examples:\n"
      "  uniqnn verify runs/recipe/best.safetensors model.uniq\n"
      "  uniqnn verify best.safetensors model.uniq --data fashion_mnist --pictures 256\n"
      "  uniqnn verify best.safetensors model.uniq --random 100 --json");
}

void declare_run(CLI::App& app, RunOptions& options) {
  CLI::App& command = *app.add_subcommand("run", "What a packed model sees in pictures");
  add_file(command, "MODEL", options.model, "What `uniqnn pack` wrote");
  command
      .add_option("IMAGE", options.images,
                  "Pictures: PNG, JPEG, PGM, PPM, or IDX, which holds many; - is standard input")
      ->type_name(kFileType)
      ->required()
      ->check(not_empty());
  add_value(command, "--top", options.top, "K", "How many classes to name [5]")
      ->check(whole_number(1, kMostPictures));
  add_value(command, "--first", options.first, "N", "Only the first pictures of each file [all]")
      ->check(whole_number(1, kMostPictures));
  add_runtime_threads(command, options.threads);
  add_json(command, options.json);
  command.footer(
      "Pictures that cannot be read are named, the others go on; the exit code is 1 then.\n"
      "UNIQ_ISA=scalar|avx2|avx2_vnni|avx512|avx512_vnni|neon|neon_dot in the environment holds\n"
      "it to an instruction set.\n\n"
      "Examples:\n"
      "  uniqnn run model.uniq cat.jpg dog.png\n"
      "  uniqnn run model.uniq cat.jpg --top 1 --json\n"
      "  uniqnn run model.uniq t10k-images-idx3-ubyte.gz --first 10");
}

void declare_bench(CLI::App& app, BenchOptions& options) {
  CLI::App& command =
      *app.add_subcommand("bench", "Latency of a packed model or a checkpoint on one picture");
  add_file(command, "FILE", options.file, "A packed model, or a checkpoint, which LibTorch runs");
  command.add_flag("--layers", options.layers, "Time of each layer of a packed model too")
      ->disable_flag_override();
  command
      .add_flag("--explain", options.explain,
                "Kernels for each of its convolutions, and why they are taken or not")
      ->disable_flag_override();
  command
      .add_flag("--tune", options.tune,
                "Time the kernels on this machine first, and keep what is fastest")
      ->disable_flag_override();
  command
      .add_option("--without", options.without,
                  "Tricks to do without, separated by commas: kernels, such as winograd or\n"
                  "avx2.table, fusing, chains, thresholds, reciprocal, folding, layouts, tuning")
      ->type_name("LIST")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(not_empty());
  add_runtime_threads(command, options.threads);
  add_value(command, "--runs", options.runs, "N", "Runs to time [at least 20, and 2 seconds]")
      ->check(whole_number(1, kMostRuns));
  add_json(command, options.json);
  command.footer(
      "A packed model's result is first compared with that of the scalar kernels, bit for bit.\n"
      "UNIQ_ISA=scalar|avx2|avx2_vnni|avx512|avx512_vnni|neon|neon_dot in the environment holds\n"
      "it to an instruction set.\n"
      "What --tune finds is kept in $XDG_CACHE_HOME/uniqnn (~/.cache/uniqnn), or in the folder "
      "that\n"
      "UNIQ_CACHE names, for this CPU, version, instruction set and number of threads; bench, "
      "run,\n"
      "eval and the C library use it from then on. UNIQ_CACHE=off or --without tuning ignores "
      "it.\n"
      "Threads: one for each CPU of the affinity mask, within the CPU quota of the control "
      "group.\n\n"
      "Examples:\n"
      "  uniqnn bench model.uniq\n"
      "  uniqnn bench model.uniq --layers --threads 2\n"
      "  uniqnn bench model.uniq --explain\n"
      "  uniqnn bench model.uniq --tune --threads 2\n"
      "  uniqnn bench model.uniq --without winograd,fusing\n"
      "  uniqnn bench model.uniq --runs 200 --json\n"
      "  uniqnn bench runs/recipe/best.safetensors --threads 2");
}

void declare_summary(CLI::App& app, SummaryOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "summary", "Layers, shapes, bits, grids, parameters, operations and sizes of a network");
  add_file(command, "FILE", options.file,
           "A recipe, a checkpoint, a packed model, or a network's text (uniq-graph); told by its "
           "contents; - is standard input");
  add_settings(command, options.settings);
  add_json(command, options.json);
  command.footer(
      "Examples:\n"
      "  uniqnn summary recipe.yaml\n"
      "  uniqnn summary recipe.yaml --set model.name=vgg_small\n"
      "  uniqnn summary runs/recipe/best.safetensors\n"
      "  uniqnn summary model.uniq\n"
      "  uniqnn summary network.graph --json");
}

void declare_inspect(CLI::App& app, InspectOptions& options) {
  CLI::App& command = *app.add_subcommand(
      "inspect", "What is in a checkpoint (tensors, steps, training) or a packed model (nodes)");
  add_file(command, "FILE", options.file,
           "A checkpoint, a packed model, or any other safetensors file; - is standard input");
  add_json(command, options.json);
  command.footer(
      "Examples:\n"
      "  uniqnn inspect runs/recipe/best.safetensors\n"
      "  uniqnn inspect model.uniq\n"
      "  uniqnn inspect weights.safetensors --json");
}

void declare_completions(CLI::App& app, CompletionsOptions& options) {
  CLI::App& command =
      *app.add_subcommand("completions", "A script by which a shell completes these commands");
  add_choice(command, "SHELL", options.shell, {"bash", "zsh", "fish"}, "bash, zsh or fish")
      ->required();
  command.footer(
      "Examples:\n"
      "  source <(uniqnn completions bash)\n"
      "  uniqnn completions bash > ~/.local/share/bash-completion/completions/uniqnn\n"
      "  uniqnn completions zsh > \"${fpath[1]}/_uniqnn\"\n"
      "  uniqnn completions fish > ~/.config/fish/completions/uniqnn.fish");
}

}  // namespace

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

void declare(CLI::App& app, Options& options) {
  app.name("uniqnn");
  app.description("Convolutional networks of 1 to 8 bits per weight and activation.");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("--version", std::string(version()),
                       "Show the versions and what the CPU can do");
  app.require_subcommand(1);
  app.footer(
      "`uniqnn COMMAND --help` tells more about a command.\n"
      "Results go to standard output, progress and errors to standard error.\n"
      "Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted. Results that nobody\n"
      "reads to their end (`uniqnn ... | head`) are a failure without a message.\n\n"
      "Examples:\n"
      "  uniqnn summary recipe.yaml\n"
      "  uniqnn train recipe.yaml\n"
      "  uniqnn eval runs/recipe/best.safetensors\n"
      "  uniqnn pack runs/recipe/best.safetensors -o model.uniq\n"
      "  uniqnn run model.uniq cat.jpg");
  declare_train(app, options.train);
  declare_eval(app, options.eval);
  declare_summary(app, options.summary);
  declare_pack(app, options.pack);
  declare_verify(app, options.verify);
  declare_run(app, options.run);
  declare_bench(app, options.bench);
  declare_inspect(app, options.inspect);
  declare_completions(app, options.completions);
  // Unknown arguments are kept, so that parse.cpp can name the nearest known one.
  for (CLI::App* command : app.get_subcommands({})) command->group("Commands")->allow_extras();
}

}  // namespace uniq::cli
