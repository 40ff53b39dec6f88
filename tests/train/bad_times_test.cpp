// Signals in each phase of `uniqnn train`, memory that becomes short, closed descriptors and
// working directories that are gone: exit codes are the documented ones, nothing is lost, and the
// run can be gone on with to the same result.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "tests/train/small_runs.h"
#include "uniq/format/checkpoint.h"

namespace uniq::train {
namespace {

namespace fs = std::filesystem;
using namespace uniq::testing;  // NOLINT: everything here is about its helpers
using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int kInterrupted = 130;
const Settings kSettings = kEverythingRandom + Settings{"train.save_minutes=1e-6"};

/// Standard error is a terminal, on which progress is drawn at once.
ProgramOptions on_terminal() {
  ProgramOptions options = kPatientThreads;
  options.error_is_terminal = true;
  return options;
}

void expect_whole_run(const SmallRuns& runs, const std::string& run) {
  for (const char* name : {"last.safetensors", "best.safetensors"})
    if (fs::exists(runs / run / name)) {
      EXPECT_NO_THROW(format::read_checkpoint_info(format::Safetensors(runs / run / name)));
    }
}

/// Goes on with the run to its end, which is that of `expected`.
void expect_to_go_on(const SmallRuns& runs, const Settings& settings) {
  const ProgramResult resumed = runs.train("run", settings, {"--resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
}

// The labels come from a pipe, which the program waits for: the signal arrives while it reads.
TEST(Signal, WhileTheDataAreRead) {
  const SmallRuns runs;
  ASSERT_EQ(runs.train("expected", kSettings).exit_code, 0);
  const fs::path labels = runs / "data/train-labels-idx1-ubyte";
  fs::rename(labels, runs / "labels");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ASSERT_EQ(::mkfifo(labels.c_str(), 0600), 0);
    Program program(UNIQNN, runs.train_arguments("run", kSettings, {"--overwrite"}),
                    kPatientThreads);
    std::ofstream pipe(labels, std::ios::binary);  // opened once the program opens it
    program.send(signal);
    ASSERT_TRUE(program.wait_for_err("stopping"));
    pipe << contents(runs / "labels") << std::flush;
    pipe.close();
    const ProgramResult result = program.wait();
    EXPECT_EQ(result.exit_code, kInterrupted) << result.err;
    EXPECT_THAT(result.err, HasSubstr("uniqnn: interrupted; to go on: uniqnn train "));
    fs::remove(labels);
  }
  fs::rename(runs / "labels", labels);
  expect_whole_run(runs, "run");
  expect_to_go_on(runs, kSettings);
}

TEST(Signal, InEachPhaseThatIsShown) {
  const SmallRuns runs;
  const Settings settings = kSettings + Settings{"train.epochs=6", "train.reestimate_batches=2"};
  ASSERT_EQ(runs.train("expected", settings).exit_code, 0);
  constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  int next = 0;
  for (const char* phase :
       {"calibration", "epoch 1/6", "epoch 1/6: loss", "validation", "epoch 6/6: loss"})
    for (const int signal : {kSignals[next++ % 3], kSignals[next++ % 3]}) {
      SCOPED_TRACE(std::string(phase) + ", signal " + std::to_string(signal));
      fs::remove_all(runs / "run");
      Program program(UNIQNN, runs.train_arguments("run", settings), on_terminal());
      ASSERT_TRUE(program.wait_for_err(phase));
      program.send(signal);
      const ProgramResult result = program.wait();
      EXPECT_THAT(result.exit_code, AnyOf(Eq(kInterrupted), Eq(0))) << result.err;
      EXPECT_EQ(result.exit_code == 0, fs::exists(runs / "run/result.json"));
      expect_whole_run(runs, "run");
      expect_to_go_on(runs, settings);
    }
}

// While the programs start, nothing catches the signal yet.
TEST(Signal, RightAfterTheStart) {
  const SmallRuns runs;
  ASSERT_EQ(runs.train("expected", kSettings).exit_code, 0);
  for (const int milliseconds : {0, 10, 30, 100, 300}) {
    SCOPED_TRACE(milliseconds);
    fs::remove_all(runs / "run");
    Program program(UNIQNN, runs.train_arguments("run", kSettings), kPatientThreads);
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    program.send(SIGTERM);
    EXPECT_THAT(program.wait().exit_code, AnyOf(Eq(128 + SIGTERM), Eq(kInterrupted), Eq(0)));
    expect_whole_run(runs, "run");
    expect_to_go_on(runs, kSettings);
  }
}

TEST(Signal, ASecondOneEndsItAtOnce) {
  const SmallRuns runs;
  const Settings settings = kSettings + Settings{"train.epochs=6"};
  ASSERT_EQ(runs.train("expected", settings).exit_code, 0);
  Program program(UNIQNN, runs.train_arguments("run", settings), on_terminal());
  ASSERT_TRUE(program.wait_for_err("epoch 1/6: loss"));
  program.send(SIGTERM);
  ASSERT_TRUE(program.wait_for_err("stopping"));
  program.send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // by then it is another request
  program.send(SIGINT);
  // They may come behind the end.
  EXPECT_THAT(program.wait().exit_code, AnyOf(Eq(128 + SIGINT), Eq(kInterrupted), Eq(0)));
  expect_whole_run(runs, "run");
  expect_to_go_on(runs, settings);
}

// What a pipe held cannot be read again: the way on is the recipe that the run's folder keeps.
TEST(Signal, WhereTheRecipeCameFromAPipe) {
  const SmallRuns runs;
  const Settings settings = kEverythingRandom + Settings{"train.epochs=30"};
  ASSERT_EQ(runs.train("expected", settings).exit_code, 0);
  fs::create_directory(runs / "pipes");
  const fs::path pipe = runs / "pipes/recipe.yaml";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::vector<std::string> arguments = runs.train_arguments("run", settings);
  arguments.at(1) = pipe.string();
  Program program(UNIQNN, arguments, on_terminal());
  write(pipe, contents(runs.recipe_file()));
  ASSERT_TRUE(program.wait_for_err("epoch 1/30: loss"));
  program.send(SIGTERM);
  const ProgramResult result = program.wait();
  ASSERT_EQ(result.exit_code, kInterrupted) << result.err;
  const std::string run = (runs / "run").string();
  EXPECT_THAT(result.err, HasSubstr("to go on: uniqnn train " + run + "/recipe.yaml --output " +
                                    run + " --resume"));
  EXPECT_EQ(uniqnn({"train", run + "/recipe.yaml", "--output", run, "--resume"}).exit_code, 0);
  EXPECT_TRUE(same_run(run, runs / "expected"));
}

// Whether memory is short depends on what the allocator kept: the run ends well, or with one
// message.
TEST(TooLittleMemory, AfterTheStart) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs the address space; see the release build";
#endif
  const SmallRuns runs;
  const Settings settings = kSettings + Settings{"train.epochs=6"};
  ASSERT_EQ(runs.train("expected", settings).exit_code, 0);
  int failures = 0;
  for (const char* phase : {"calibration", "epoch 1/6", "epoch 1/6: loss"})
    for (const std::uint64_t more : {std::uint64_t{0}, std::uint64_t{1} << 20}) {
      SCOPED_TRACE(std::string(phase) + " and " + std::to_string(more) + " bytes more");
      fs::remove_all(runs / "run");
      Program program(UNIQNN, runs.train_arguments("run", settings), on_terminal());
      ASSERT_TRUE(program.wait_for_err(phase));
      program.limit_memory(more);
      const ProgramResult result = program.wait();
      EXPECT_THAT(result.exit_code, AnyOf(Eq(0), Eq(1))) << result.err;
      if (result.exit_code == 1) {
        ++failures;
        const std::size_t error = result.err.find("error:");
        EXPECT_NE(error, std::string::npos) << result.err;
        EXPECT_EQ(error, result.err.rfind("error:")) << result.err;
        EXPECT_THAT(result.err, Not(HasSubstr("terminate")));
      }
      expect_whole_run(runs, "run");
      expect_to_go_on(runs, settings);
    }
  EXPECT_GT(failures, 0) << "nothing was short of memory";
}

// A layer of 1,152 million weights: the error names it and the size.
TEST(TooLittleMemory, NamesTheLayer) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs the address space; see the release build";
#endif
  const SmallRuns runs;
  std::ofstream(runs / "wide.graph") << "uniq-graph 1\n"
                                        "input = input(channels=1, height=12, width=12)\n"
                                        "conv1 = conv2d(input, out=8, kernel=3, padding=1)\n"
                                        "flatten = flatten(conv1)\n"
                                        "wide = linear(flatten, out=1000000)\n"
                                        "fc = linear(wide, out=10)\n"
                                        "output = output(fc)\n";
  ProgramOptions options = kPatientThreads;
  options.memory_bytes = std::uint64_t{3} << 30;
  const ProgramResult result = run_program(
      UNIQNN, runs.train_arguments("run", {"model.name=" + (runs / "wide.graph").string()}),
      options);
  EXPECT_EQ(result.exit_code, 1);
  // 8 * 12 * 12 inputs, 1,000,000 outputs, 4 bytes each.
  EXPECT_THAT(result.err,
              StartsWith("uniqnn: error: not enough memory (layer wide): expected 4.61 GB; try "));
}

// Each path where a file is expected: one message that names it and says why.
TEST(BadPaths, OfFilesThatTrainingReads) {
  const SmallRuns runs;
  fs::create_directory(runs / "folder.graph");
  fs::create_symlink("loop.graph", runs / "loop.graph");
  std::ofstream(runs / "closed.graph") << "x";
  fs::permissions(runs / "closed.graph", fs::perms::none);
  const std::string longest = "/" + std::string(4089, '/') + ".graph";
  const std::vector<std::pair<std::string, std::string>> paths = {
      {(runs / "folder.graph").string(), "Is a directory"},
      {(runs / "recipe.yaml/below.graph").string(), "Not a directory"},
      {(runs / "loop.graph").string(), "Too many levels of symbolic links"},
      {(runs / "closed.graph").string(), "Permission denied"},
      {(runs / (std::string(256, 'n') + ".graph")).string(), "File name too long"},
      {longest, "File name too long"}};
  ProgramOptions options = kPatientThreads;
  options.without_privileges = true;
  const auto expect = [&](const std::vector<std::string>& arguments, const auto& path) {
    const ProgramResult result = run_program(UNIQNN, arguments, options);
    SCOPED_TRACE(path.second);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, StartsWith("uniqnn: error: "));
    EXPECT_THAT(result.err, HasSubstr(path.first));
    EXPECT_THAT(result.err, HasSubstr(path.second));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  };
  for (const auto& path : paths) {
    expect({"train", path.first}, path);
    expect(runs.train_arguments("run", {"model.name=" + path.first}), path);
    expect(runs.train_arguments("run", {"train.start=" + path.first}), path);
  }
  EXPECT_FALSE(fs::exists(runs / "run/last.safetensors"));
  for (const std::string& folder : {std::string("loop.graph"), std::string(256, 'n')}) {
    const ProgramResult result = runs.train(folder);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, StartsWith("uniqnn: error: cannot make the folder of the run ("));
  }
}

// As long as the system allows: 255 bytes.
TEST(LongNames, OfTheRecipeTheNetworkAndTheRun) {
  const SmallRuns runs;
  const fs::path network = runs / (std::string(249, 'n') + ".graph");
  const fs::path recipe = runs / (std::string(250, 'r') + ".yaml");
  fs::copy_file(runs / "small.graph", network);
  fs::copy_file(runs.recipe_file(), recipe);
  std::vector<std::string> arguments =
      runs.train_arguments(std::string(255, 'o'), {"model.name=" + network.string()});
  arguments.at(1) = recipe.string();
  const ProgramResult result = uniqnn(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(fs::exists(runs / std::string(255, 'o') / "result.json"));
}

TEST(ClosedDescriptors, NoFileOfTheRunTakesTheirPlace) {
  const SmallRuns runs;
  ASSERT_EQ(runs.train("expected", kSettings).exit_code, 0);
  for (const std::vector<int>& closed : std::vector<std::vector<int>>{{0, 2}, {1}, {0, 1, 2}}) {
    fs::remove_all(runs / "run");
    ProgramOptions options = kPatientThreads;
    options.closed = closed;
    for (const char* program : {UNIQNN, UNIQNN_TRAIN}) {
      fs::remove_all(runs / "run");
      EXPECT_EQ(run_program(program, runs.train_arguments("run", kSettings), options).exit_code, 0);
      EXPECT_TRUE(same_run(runs / "run", runs / "expected"));
    }
  }
}

TEST(WorkingDirectory, ThatWasDeleted) {
  const SmallRuns runs;
  const auto in_deleted = [&](const std::string& arguments) {
    const std::string gone = (runs / "gone").string();
    return run_program(
        "/bin/bash",
        {"-c", "mkdir '" + gone + "' && cd '" + gone + "' && rmdir '" + gone +
                   "' && '" UNIQNN "' train '" + runs.recipe_file().string() + "' " + arguments},
        kPatientThreads);
  };
  for (const std::string& arguments :
       {std::string(), "--output '" + (runs / "run").string() + "'"}) {
    const ProgramResult result = in_deleted(arguments);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.err,
              "uniqnn: error: the working directory cannot be used: got No such file or directory; "
              "try the same in a folder that exists\n");
  }
}

TEST(StandardInput, MayBeTheRecipe) {
  const SmallRuns runs;
  const std::string output = (runs / "run").string();
  const std::vector<std::string> recipes = {"- < '" + runs.recipe_file().string() + "'",
                                            "<(cat '" + runs.recipe_file().string() + "')"};
  for (const std::string& recipe : recipes) {
    fs::remove_all(output);
    const ProgramResult result =
        run_program("/bin/bash", {"-c", "'" UNIQNN "' train --output '" + output + "' " + recipe},
                    kPatientThreads);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_TRUE(fs::exists(output + "/result.json"));
  }
  const ProgramResult own =
      run_program("/bin/bash",
                  {"-c", "cd '" + (runs / "data").string() + "' && '" UNIQNN "' train - < '" +
                             runs.recipe_file().string() + "'"},
                  kPatientThreads);
  EXPECT_EQ(own.exit_code, 0) << own.err;
  EXPECT_TRUE(fs::exists(runs / "data/runs/stdin/result.json"));
}

/// What libgomp says of GOMP_SPINCOUNT when it is loaded, at last.
std::string spin_count(const char* program, std::vector<std::string> environment) {
  environment.push_back("OMP_DISPLAY_ENV=verbose");
  const ProgramResult result =
      run_program(program, {"train", "--help"}, {.environment = environment});
  EXPECT_EQ(result.exit_code, 0);
  const std::string name = "GOMP_SPINCOUNT = '";
  const std::size_t at = result.err.rfind(name);
  if (at == std::string::npos) return "";
  return result.err.substr(at + name.size(),
                           result.err.find('\'', at + name.size()) - at - name.size());
}

TEST(SpinCount, IsSetUnlessTheUserHas) {
  for (const char* variable : {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}) ::unsetenv(variable);
  EXPECT_EQ(spin_count(UNIQNN_TRAIN, {}), "10000");
  EXPECT_EQ(spin_count(UNIQNN_TRAIN, {"GOMP_SPINCOUNT=77"}), "77");
  EXPECT_EQ(spin_count(UNIQNN_TRAIN, {"OMP_WAIT_POLICY=passive"}), "0");
  // `uniqnn` answers --help itself; a command that needs LibTorch shows what it hands on.
  const ProgramResult handed_on =
      run_program(UNIQNN, {"train", "/dev/null"}, {.environment = {"OMP_DISPLAY_ENV=verbose"}});
  EXPECT_EQ(handed_on.exit_code, 2);
  EXPECT_THAT(handed_on.err, HasSubstr("GOMP_SPINCOUNT = '10000'"));
}

}  // namespace
}  // namespace uniq::train
