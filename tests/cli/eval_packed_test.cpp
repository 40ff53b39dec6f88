#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/packed_files.h"
#include "tests/support/small_digits.h"
#include "uniq/data/dataset.h"
#include "uniq/metrics/evaluation.h"

namespace uniq::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using uniq::testing::digits_checkpoint;
using uniq::testing::ProgramResult;
using uniq::testing::uniqnn;

const graph::BitRequest kBits = {.weight_bits = 2, .activation_bits = 2};

class EvalPacked : public uniq::testing::PackedFiles {
 protected:
  EvalPacked() {
    // Not a multiple of the pictures that are evaluated at once.
    uniq::testing::write_small_digits(digits(), {.training = 45, .test = 70});
  }
  std::string digits() const { return folder_ / "digits"; }

  ProgramResult eval(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"eval", model(), "--data", "mnist", "--root", digits()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return uniqnn(arguments);
  }

  metrics::Evaluation expected(data::Split split) const {
    const data::Dataset set = data::load_dataset("mnist", digits(), split);
    const std::vector<float> values = logits(set.pixels);
    metrics::Evaluator evaluator(10, "test");
    for (std::size_t i = 0; i < set.labels.size(); ++i)
      evaluator.add(std::span(values).subspan(10 * i, 10), set.labels[i]);
    return evaluator.result();
  }
};

TEST_F(EvalPacked, CountsAsTheLibraryDoes) {
  const format::CheckpointInfo info = digits_checkpoint(kBits);
  pack(info);
  const metrics::Evaluation test = expected(data::Split::test);
  const ProgramResult result = eval({"--json"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out, metrics::to_json(test, info.classes) + "\n");
  EXPECT_EQ(json::parse(result.out).at("pictures"), 70);
  EXPECT_EQ(eval({"--json", "--threads", "3", "-q"}).out, result.out);
  EXPECT_EQ(eval({"--json", "--split", "train"}).out,
            metrics::to_json(expected(data::Split::train), info.classes) + "\n");
}

TEST_F(EvalPacked, IsReadableByPeople) {
  pack(digits_checkpoint(kBits));
  const std::string text = eval().out;
  EXPECT_THAT(text, MatchesRegex("data +mnist, test, 70 pictures\n"
                                 "loss +[0-9]+[.][0-9]{4}\n"
                                 "top-1 +[0-9]+[.][0-9]{2} %\n"
                                 "top-5 +[0-9]+[.][0-9]{2} %\n"));
  const std::string classes = eval({"--per-class"}).out;
  EXPECT_EQ(classes.substr(0, text.size() + 1), text + "\n");
  EXPECT_THAT(classes, HasSubstr("\nclass  pictures"));
  EXPECT_THAT(classes, MatchesRegex("(.|\n)*\n9 +7 +[0-9]+[.][0-9]{2} %\n"));
}

TEST_F(EvalPacked, NeedsADataSet) {
  pack(digits_checkpoint(kBits));
  const ProgramResult result = uniqnn({"eval", model()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "uniqnn: error: a packed model does not say what it was trained on (" +
                            model() + "): expected a data set; try --data NAME\n");
}

TEST_F(EvalPacked, RunsOnTheCpu) {
  pack(digits_checkpoint(kBits));
  const ProgramResult result = eval({"--device", "cuda"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err,
            "uniqnn: error: a packed model runs on the CPU (--device): got cuda, expected cpu; try "
            "the checkpoint that it was made of\n");
}

TEST_F(EvalPacked, RefusesMoreThreadsThanThereCanBe) {
  pack(digits_checkpoint(kBits));
  const ProgramResult result = eval({"--threads", "1000"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err,
            "uniqnn: error: number of threads out of range: got 1000, expected 1 to 256\n");
}

TEST_F(EvalPacked, RefusesDataOfAnotherSizeOrOtherClasses) {
  pack(uniq::testing::small_checkpoint(kBits));
  const ProgramResult size = eval();
  EXPECT_EQ(size.exit_code, 1);
  EXPECT_EQ(size.err,
            "uniqnn: error: the data set does not fit the packed model (mnist): got pictures of "
            "1x12x12, expected 1x4x4; try --data NAME\n");
  uniq::testing::write_small_digits(digits(), {.training = 10, .test = 10, .side = 6});
  format::CheckpointInfo info = digits_checkpoint(kBits);
  info.classes[3] = "three";
  pack(info);
  EXPECT_EQ(eval().exit_code, 1);
  uniq::testing::write_small_digits(digits(), {.training = 10, .test = 10});
  const ProgramResult names = eval();
  EXPECT_EQ(names.exit_code, 0);
  EXPECT_EQ(names.err,
            "uniqnn: warning: the classes of mnist have other names than those of the packed "
            "model\n");
}

TEST_F(EvalPacked, NamesFilesThatAreMissing) {
  const ProgramResult model_missing = eval();
  EXPECT_EQ(model_missing.exit_code, 1);
  EXPECT_EQ(model_missing.err, "uniqnn: error: cannot open the file (" + model() +
                                   "): got No such file or directory; try to check the path\n");
  pack(digits_checkpoint(kBits));
  std::filesystem::remove_all(digits());
  const ProgramResult data_missing = eval();
  EXPECT_EQ(data_missing.exit_code, 1);
  EXPECT_THAT(data_missing.err, HasSubstr(digits()));
}

}  // namespace
}  // namespace uniq::cli
