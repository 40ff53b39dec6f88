#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/packed_files.h"
#include "tests/support/small_digits.h"
#include "uniq/data/picture.h"
#include "uniq/data/prepare.h"
#include "uniq/kernels/isa.h"

namespace uniq::cli {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;
using uniq::testing::ProgramResult;
using uniq::testing::small_checkpoint;
using uniq::testing::uniqnn;

using Bytes = std::vector<std::uint8_t>;

const graph::BitRequest kShownBits = {.weight_bits = 2, .activation_bits = 2};

/// 4x4 pixels that differ.
Bytes some_pixels(int first) {
  Bytes pixels(16);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(static_cast<std::size_t>(first) + 13 * i);
  return pixels;
}

std::string text_of(const Bytes& pixels) { return {pixels.begin(), pixels.end()}; }

std::string contents_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

class Run : public uniq::testing::PackedFiles {
 protected:
  std::string write(const std::string& name, const std::string& contents) const {
    const std::string file = folder_ / name;
    std::ofstream(file, std::ios::binary) << contents;
    return file;
  }
  std::string write_pgm(const std::string& name, const Bytes& pixels) const {
    return write(name, "P5\n4 4\n255\n" + text_of(pixels));
  }

  /// What the program says about the pictures of these files.
  static json pictures(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "run");
    arguments.emplace_back("--json");
    const ProgramResult result = uniqnn(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    return json::parse(result.out).at("pictures");
  }

  /// Each class with its logit and probability, the largest first.
  static void expect_predictions(const json& predictions, const std::vector<float>& logits,
                                 const std::vector<std::string>& classes) {
    std::vector<std::size_t> order(logits.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, std::greater(), [&](std::size_t i) { return logits[i]; });
    double sum = 0.0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    ASSERT_EQ(predictions.size(), logits.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      const float logit = logits[order[i]];
      EXPECT_EQ(predictions[i]["label"], order[i]);
      EXPECT_EQ(predictions[i]["class"], classes[order[i]]);
      EXPECT_EQ(predictions[i]["logit"].get<float>(), logit);
      // A handful of roundings on either side.
      EXPECT_NEAR(predictions[i]["probability"].get<double>(), std::exp(double{logit}) / sum,
                  1e-14);
    }
  }
};

TEST_F(Run, TellsEveryClassOfAPgm) {
  const format::CheckpointInfo info = small_checkpoint(kShownBits);
  pack(info);
  const Bytes pixels = some_pixels(5);
  const std::string file = write_pgm("a.pgm", pixels);
  const json found = pictures({model(), file});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["file"], file);
  EXPECT_EQ(found[0]["index"], 0);
  expect_predictions(found[0]["predictions"], logits(pixels), info.classes);
}

TEST_F(Run, PreparesPicturesAsTheModelSays) {
  format::CheckpointInfo info = small_checkpoint(kShownBits);
  info.preprocessing.resize = "stretch";
  pack(info);
  const std::string folder = UNIQ_PICTURES;
  const std::vector<std::string> files = {folder + "/grey.png", folder + "/rgb.png",
                                          folder + "/rgb.jpg", folder + "/rgb.ppm"};
  std::vector<std::string> arguments = {model()};
  arguments.insert(arguments.end(), files.begin(), files.end());
  const json found = pictures(arguments);
  ASSERT_EQ(found.size(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    const data::Picture picture = data::read_pictures(files[i]).at(0);
    ASSERT_TRUE(picture.height != 4 || picture.channels != 1) << "nothing to prepare: " << files[i];
    EXPECT_EQ(found[i]["file"], files[i]);
    expect_predictions(found[i]["predictions"],
                       logits(data::prepare(picture, info.preprocessing).pixels), info.classes);
  }
}

TEST_F(Run, GoesThroughTheFirstPicturesOfAnIdxFile) {
  const format::CheckpointInfo info = small_checkpoint(kShownBits);
  pack(info);
  Bytes all;
  for (const int first : {0, 40, 90}) {
    const Bytes own = some_pixels(first);
    all.insert(all.end(), own.begin(), own.end());
  }
  const std::string idx = write("three", uniq::testing::idx_bytes({3, 4, 4}, text_of(all)));
  const std::vector<float> expected = logits(all);
  const auto expect_all = [&](const json& found, std::size_t count) {
    ASSERT_EQ(found.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(found[i]["index"], i);
      expect_predictions(found[i]["predictions"],
                         {expected.begin() + static_cast<std::ptrdiff_t>(3 * i),
                          expected.begin() + static_cast<std::ptrdiff_t>(3 * i + 3)},
                         info.classes);
    }
  };
  expect_all(pictures({model(), idx}), 3);
  expect_all(pictures({model(), idx, "--first", "2"}), 2);
  expect_all(pictures({model(), idx, "--first", "9"}), 3);
  EXPECT_EQ(pictures({model(), idx, idx, "--first", "1"}).size(), 2u) << "of each file";

  const std::string text = uniqnn({"run", model(), idx, "--first", "2"}).out;
  EXPECT_THAT(text, HasSubstr(idx + ", picture 0\n"));
  EXPECT_THAT(text, HasSubstr("\n\n" + idx + ", picture 1\n"));
}

TEST_F(Run, IsReadableByPeople) {
  pack(small_checkpoint(kShownBits));
  const std::string file = write_pgm("a.pgm", some_pixels(5));
  const json predictions = pictures({model(), file})[0]["predictions"];
  const ProgramResult result = uniqnn({"run", model(), file, "--top", "2"});
  EXPECT_EQ(result.exit_code, 0);
  std::istringstream lines(result.out);
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, file);
  for (int i = 0; i < 2; ++i) {
    std::getline(lines, line);
    EXPECT_THAT(line, MatchesRegex("  " + predictions[i]["class"].get<std::string>() +
                                   " +[0-9]+[.][0-9][0-9] %"));
    EXPECT_NEAR(std::stod(line.substr(line.find_first_of("0123456789"))),
                100.0 * predictions[i]["probability"].get<double>(), 0.00501);
  }
  EXPECT_FALSE(std::getline(lines, line)) << line;
}

TEST_F(Run, SaysTheSameOnEveryInstructionSetAndNumberOfThreads) {
  pack(small_checkpoint(kShownBits));
  const std::string file = write_pgm("a.pgm", some_pixels(77));
  const std::string expected = uniqnn({"run", model(), file, "--json"}).out;
  EXPECT_NE(expected, "");
  for (const kernels::Isa isa : kernels::available_isas()) {
    const std::string variable = "UNIQ_ISA=" + std::string(kernels::isa_name(isa));
    for (const char* threads : {"1", "3"}) {
      EXPECT_EQ(uniqnn({"run", model(), file, "--json", "--threads", threads},
                       {.environment = {variable}})
                    .out,
                expected)
          << variable << " " << threads;
    }
  }
}

TEST_F(Run, GoesOnWithTheOtherPictures) {
  pack(small_checkpoint(kShownBits));
  const std::string first = write_pgm("first.pgm", some_pixels(1));
  const std::string last = write_pgm("last.pgm", some_pixels(9));
  const std::string alone = uniqnn({"run", model(), first, last}).out;
  const json expected = pictures({model(), first, last});
  const auto expect_named = [&](const std::string& bad, const std::string& why) {
    const ProgramResult result = uniqnn({"run", model(), first, bad, last});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, alone);
    EXPECT_THAT(result.err, AllOf(StartsWith("uniqnn: error: "), HasSubstr(bad), HasSubstr(why)));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;

    const ProgramResult machine = uniqnn({"run", model(), first, bad, last, "--json"});
    EXPECT_EQ(machine.exit_code, 1);
    EXPECT_EQ(machine.err, result.err);
    const json found = json::parse(machine.out).at("pictures");
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0], expected[0]);
    EXPECT_EQ(found[2], expected[1]);
    EXPECT_EQ(found[1].at("file"), bad);
    EXPECT_EQ(found[1].at("index"), 0);
    EXPECT_EQ("uniqnn: error: " + found[1].at("error").get<std::string>() + "\n", result.err);
    EXPECT_FALSE(found[1].contains("predictions"));
  };
  expect_named(write("large.pgm", "P5\n5 4\n255\n" + std::string(20, 'x')),
               "picture of another size than the network's");
  expect_named(write("short.pgm", "P5\n4 4\n255\nxyz"), "truncated");
  expect_named(write("text", "not a picture"), "not a picture of a known kind");
  expect_named(folder_ / "missing.png", "No such file");
  expect_named(folder_.path(), "Is a directory");
  expect_named(write("idx", uniq::testing::idx_bytes({2, 3, 3}, std::string(18, 'x'))),
               "idx, picture 0");
  expect_named(write("cut.jpg", contents_of(UNIQ_PICTURES "/444.jpg").substr(0, 600)),
               "damaged JPEG picture");
}

TEST_F(Run, FailsWhereNoPictureCanBeRead) {
  pack(small_checkpoint(kShownBits));
  const std::string bad = write("text", "not a picture");
  const ProgramResult result = uniqnn({"run", model(), bad, bad});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 2) << result.err;
}

TEST_F(Run, ReadsPipesAndStandardInput) {
  pack(small_checkpoint(kShownBits));
  const std::string file = write_pgm("a.pgm", some_pixels(5));
  json expected = pictures({model(), file});
  const auto run_in_shell = [&](const std::string& pictures) {
    const ProgramResult result = uniq::testing::run_program(
        "/bin/bash",
        {"-c", "cat '" + file + "' | '" UNIQNN "' run --json '" + model() + "' " + pictures});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out).at("pictures");
  };
  expected[0]["file"] = "standard input";
  EXPECT_EQ(run_in_shell("-"), expected);
  expected[0]["file"] = "/dev/stdin";
  EXPECT_EQ(run_in_shell("/dev/stdin"), expected);
  const json found = run_in_shell("<(cat '" + file + "')");
  EXPECT_EQ(found[0]["predictions"], expected[0]["predictions"]);
}

TEST_F(Run, ShowsNamesWithoutWhatActsOnATerminal) {
  format::CheckpointInfo info = small_checkpoint(kShownBits);
  info.classes[0] = "left\u202eright";
  pack(info);
  const std::string file = write_pgm("a\u202eb\x1b[31m.pgm", some_pixels(5));
  const ProgramResult result = uniqnn({"run", model(), file});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("left\\u202eright"), HasSubstr("a\\u202eb\\x1b[31m.pgm\n"),
                    Not(HasSubstr("\u202e")), Not(HasSubstr("\x1b"))));
  const ProgramResult machine = uniqnn({"run", model(), file, "--json"});
  EXPECT_THAT(machine.out, Not(HasSubstr("\u202e")));
  const json found = json::parse(machine.out).at("pictures")[0];
  EXPECT_EQ(found["file"], file);
  bool has_class = false;
  for (const json& prediction : found["predictions"])
    has_class = has_class || prediction["class"] == info.classes[0];
  EXPECT_TRUE(has_class);
  const ProgramResult missing = uniqnn({"run", model(), file + "\u202e"});
  EXPECT_THAT(missing.err, AllOf(HasSubstr("\\u202e"), Not(HasSubstr("\u202e"))));
}

}  // namespace
}  // namespace uniq::cli
