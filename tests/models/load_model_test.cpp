#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "uniq/base/error.h"
#include "uniq/graph/text.h"
#include "uniq/models/models.h"

namespace uniq::models {
namespace {

constexpr ModelInput kData{1, 28, 28, 10};

/// A file of the test's own, removed with it.
class LoadModel : public testing::Test {
 protected:
  LoadModel() : path_(testing::TempDir() + "load_model_" + std::to_string(getpid()) + ".graph") {}
  ~LoadModel() override { std::filesystem::remove(path_); }

  void write(const std::string& text) const { std::ofstream(path_) << text; }

  template <class Expected>
  std::string refusal() const {
    try {
      load_model(path_, kData);
    } catch (const Expected& error) {
      EXPECT_EQ(typeid(error), typeid(Expected));
      return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
  }

  const std::string path_;
};

TEST_F(LoadModel, ReadsAFile) {
  const graph::Graph expected = build_model("preact_resnet8", kData);
  write(graph::to_text(expected));
  EXPECT_EQ(load_model(path_, kData), expected);
}

TEST_F(LoadModel, OrABuiltInNetwork) {
  EXPECT_EQ(load_model("lenet", kData), build_model("lenet", kData));
}

TEST_F(LoadModel, RefusesPicturesThatDoNotFit) {
  write(graph::to_text(build_model("preact_resnet8", {3, 32, 32, 10})));
  EXPECT_EQ(refusal<UsageError>(),
            "model's input does not fit the data (" + path_ +
                ", node input): got 3x32x32, expected 1x28x28; try input(channels=1, height=28, "
                "width=28)");
}

TEST_F(LoadModel, RefusesAnotherNumberOfClasses) {
  write(graph::to_text(build_model("preact_resnet8", {1, 28, 28, 100})));
  EXPECT_EQ(refusal<UsageError>(),
            "model's output does not fit the data (" + path_ +
                ", node output): got 100, expected 10, the number of classes; try a last layer "
                "linear(..., out=10)");
  write("uniq-graph 1\ni = input(channels=1, height=28, width=28)\no = output(i)\n");
  EXPECT_NE(refusal<UsageError>().find("got 1x28x28, expected 10"), std::string::npos);
}

TEST_F(LoadModel, ErrorsNameTheFile) {
  EXPECT_NE(refusal<Error>().find(path_), std::string::npos);
  write("uniq-graph 1\ni = inptu()\n");
  EXPECT_NE(refusal<Error>().find("(" + path_ + ", line 2)"), std::string::npos);
}

}  // namespace
}  // namespace uniq::models
