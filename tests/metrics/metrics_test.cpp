#include "uniq/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>

#include "tests/support/random_test.h"
#include "uniq/base/error.h"
#include "uniq/metrics/event.h"
#include "uniq/metrics/tfrecord.h"

namespace uniq::metrics {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class MetricsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) /
              ("uniq_metrics_" + std::string(test->name()) + "_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string contents(const char* name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    EXPECT_TRUE(file) << name;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  Writer writer(const Position* resume = nullptr, bool tensorboard = true) const {
    return Writer(folder_, {"loss", "top1"}, tensorboard, resume, [] { return 1.5; });
  }

  fs::path folder_;
};

template <typename Function>
std::string message_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const Row kFirst{0, 50, "train", {{"loss", 0.1}, {"top1", 75.0}}};
const Row kSecond{0, 100, "validation", {{"top1", 1.0 / 3.0}}};

std::string event_file_of_both_rows() {
  return tfrecord(file_version_event(1.5)) +
         tfrecord(scalar_event(1.5, 50, {{"train/loss", 0.1}, {"train/top1", 75.0}})) +
         tfrecord(scalar_event(1.5, 100, {{"validation/top1", 1.0 / 3.0}}));
}

TEST_F(MetricsTest, WritesTheThreeFiles) {
  Writer metrics = writer();
  metrics.write(kFirst);
  metrics.write(kSecond);
  const Position position = metrics.sync();

  EXPECT_EQ(contents(kCsvFile),
            "epoch,step,phase,loss,top1\n"
            "0,50,train,0.1,75\n"
            "0,100,validation,,0.3333333333333333\n");
  EXPECT_EQ(contents(kJsonFile),
            "{\"epoch\":0,\"step\":50,\"phase\":\"train\",\"loss\":0.1,\"top1\":75}\n"
            "{\"epoch\":0,\"step\":100,\"phase\":\"validation\",\"top1\":0.3333333333333333}\n");
  EXPECT_EQ(contents(kEventFile), event_file_of_both_rows());
  EXPECT_EQ(position.csv, static_cast<std::int64_t>(contents(kCsvFile).size()));
  EXPECT_EQ(position.jsonl, static_cast<std::int64_t>(contents(kJsonFile).size()));
  EXPECT_EQ(position.tensorboard, static_cast<std::int64_t>(contents(kEventFile).size()));
}

using RandomMetricsTest = testing::WithRandom<MetricsTest>;

TEST_F(RandomMetricsTest, NumbersReadBackBitForBit) {
  std::mt19937_64 random(seed_);
  Writer metrics = writer();
  std::vector<double> values{0.0, -0.0, 5e-324, std::numeric_limits<double>::max(), 1e22};
  while (values.size() < 300) {
    const std::uint64_t bits = random();
    const auto value = std::bit_cast<double>(bits);
    if (std::isfinite(value)) values.push_back(value);
  }
  for (const double value : values) metrics.write({0, 0, "train", {{"loss", value}}});
  metrics.sync();

  std::istringstream csv(contents(kCsvFile));
  std::istringstream jsonl(contents(kJsonFile));
  std::string line;
  std::getline(csv, line);
  for (const double value : values) {
    std::getline(csv, line);
    const std::string cell = line.substr(10, line.size() - 11);  // "0,0,train,<value>,"
    const double read = std::strtod(cell.c_str(), nullptr);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(read), std::bit_cast<std::uint64_t>(value)) << line;
    std::getline(jsonl, line);
    EXPECT_EQ(nlohmann::json::parse(line)["loss"].get<double>(), value) << line;
  }
}

TEST_F(MetricsTest, WhatIsNotFiniteStaysReadable) {
  Writer metrics = writer();
  metrics.write({1, 2, "train", {{"loss", std::nan("")}, {"top1", -INFINITY}}});
  EXPECT_THAT(contents(kCsvFile), HasSubstr("1,2,train,nan,-inf\n"));
  const auto row = nlohmann::json::parse(contents(kJsonFile));
  EXPECT_TRUE(row["loss"].is_null());
  EXPECT_TRUE(row["top1"].is_null());
}

TEST_F(MetricsTest, WithoutTensorboardNoEventFileIsLeft) {
  writer();
  EXPECT_TRUE(fs::exists(folder_ / kEventFile));
  Writer metrics = writer(nullptr, false);
  metrics.write(kFirst);
  EXPECT_FALSE(fs::exists(folder_ / kEventFile));
  EXPECT_EQ(metrics.sync().tensorboard, 0);
}

TEST_F(MetricsTest, ANewRunBeginsNewFiles) {
  writer().write(kFirst);
  writer().write(kSecond);
  EXPECT_EQ(contents(kCsvFile),
            "epoch,step,phase,loss,top1\n0,100,validation,,0.3333333333333333\n");
}

TEST_F(MetricsTest, AResumedRunCutsOffWhatCameAfterTheCheckpoint) {
  Position saved;
  {
    Writer metrics = writer();
    metrics.write(kFirst);
    saved = metrics.sync();
    metrics.write({9, 999, "train", {{"loss", 9.0}}});  // lost by the kill
  }
  // A row of which only a part reached the disk.
  std::ofstream(folder_ / kCsvFile, std::ios::app) << "9,10";
  writer(&saved).write(kSecond);
  EXPECT_EQ(contents(kCsvFile),
            "epoch,step,phase,loss,top1\n"
            "0,50,train,0.1,75\n"
            "0,100,validation,,0.3333333333333333\n");
  EXPECT_EQ(contents(kEventFile), event_file_of_both_rows());
}

TEST_F(MetricsTest, AResumedRunMayTurnTensorboardOffAndOn) {
  Position saved;
  {
    Writer metrics = writer();
    metrics.write(kFirst);
    saved = metrics.sync();
  }
  saved = writer(&saved, false).sync();
  writer(&saved).write(kSecond);
  EXPECT_EQ(contents(kEventFile), event_file_of_both_rows());
}

TEST_F(MetricsTest, AResumedRunNeedsItsFiles) {
  const Position saved = [this] {
    Writer metrics = writer();
    metrics.write(kFirst);
    return metrics.sync();
  }();
  fs::resize_file(folder_ / kCsvFile, 30);
  EXPECT_THAT(message_of([&] { writer(&saved); }),
              ::testing::AllOf(HasSubstr("metrics file is shorter than the checkpoint says"),
                               HasSubstr(kCsvFile), HasSubstr("got 30 bytes"),
                               HasSubstr("expected at least 45")));
}

TEST_F(MetricsTest, AResumedRunNeedsTheSameColumns) {
  const Position saved = writer().sync();
  EXPECT_THAT(
      message_of([&] { Writer(folder_, {"loss"}, false, &saved); }),
      ::testing::AllOf(HasSubstr("other columns"), HasSubstr("got epoch,step,phase,loss,top1"),
                       HasSubstr("expected epoch,step,phase,loss;")));
}

TEST_F(MetricsTest, UnknownColumnsAndUnwritableNamesAreRefused) {
  Writer metrics = writer();
  EXPECT_THAT(message_of([&] {
                metrics.write({0, 0, "train", {{"los", 1.0}}});
              }),
              HasSubstr("unknown column of the metrics: got 'los', expected one of loss, top1"));
  EXPECT_THAT(message_of([&] { metrics.write({0, 0, "a,b", {}}); }), HasSubstr("got 'a,b'"));
  EXPECT_THAT(message_of([&] { Writer(folder_, {"a\nb"}, false); }), HasSubstr("column"));
  EXPECT_EQ(contents(kCsvFile), "epoch,step,phase,loss,top1\n");
}

TEST_F(MetricsTest, AMissingFolderIsNamed) {
  const fs::path missing = folder_ / "missing";
  EXPECT_THAT(message_of([&] { Writer(missing, {}, false); }),
              ::testing::AllOf(HasSubstr("cannot open metrics file"), HasSubstr(missing.string()),
                               HasSubstr("No such file or directory")));
}

TEST_F(MetricsTest, AFullDiskIsAnError) {
  fs::create_symlink("/dev/full", folder_ / kJsonFile);
  Writer metrics = writer();
  const std::string before = contents(kCsvFile);
  EXPECT_THAT(message_of([&] { metrics.write(kFirst); }),
              ::testing::AllOf(HasSubstr("cannot write metrics file"), HasSubstr(kJsonFile),
                               HasSubstr("No space left on device")));
  EXPECT_EQ(contents(kCsvFile), before);
}

/// Files of this process cannot grow beyond so many bytes while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(MetricsTest, ARowThatDoesNotFitLeavesNoPartOfItself) {
  Writer metrics = writer();
  metrics.write(kFirst);
  const std::string csv = contents(kCsvFile);
  const std::string jsonl = contents(kJsonFile);
  const std::string events = contents(kEventFile);
  {
    const FileSizeLimit limit(events.size() + 20);
    EXPECT_THAT(message_of([&] { metrics.write(kSecond); }), HasSubstr("File too large"));
  }
  EXPECT_EQ(contents(kCsvFile), csv);
  EXPECT_EQ(contents(kJsonFile), jsonl);
  EXPECT_EQ(contents(kEventFile), events);
  metrics.write(kSecond);
  EXPECT_EQ(contents(kEventFile), event_file_of_both_rows());
}

}  // namespace
}  // namespace uniq::metrics
