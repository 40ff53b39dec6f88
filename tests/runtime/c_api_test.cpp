#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/base/temporary_folder.h"
#include "tests/runtime/packed_networks.h"
#include "tests/support/guarded_memory.h"
#include "uniq/base/file.h"
#include "uniq/base/version.h"
#include "uniq/format/packed_file.h"
#include "uniq/models/models.h"
#include "uniq/runtime/session.h"
#include "uniq/runtime/uniq.h"

namespace uniq::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class CApi : public ::testing::Test {
 protected:
  CApi() : path_((folder_ / "model.uniq").string()) {
    format::write_packed(path_, network_);
    EXPECT_EQ(uniq_model_load(path_.c_str(), &model_), UNIQ_OK) << uniq_last_error();
  }
  ~CApi() override {
    unsetenv("UNIQ_ISA");
    uniq_session_destroy(session_);
    uniq_model_destroy(model_);
  }

  testing::TemporaryFolder folder_;
  std::string path_;
  format::PackedModel network_ = testing::packed_network(
      models::build_model("preact_resnet8",
                          {.channels = 3, .height = 12, .width = 10, .classes = 4}),
      {.weight_bits = 2, .activation_bits = 2}, 1);
  uniq_model* model_ = nullptr;
  uniq_session* session_ = nullptr;
};

TEST_F(CApi, TellsWhatTheModelTakesAndGives) {
  const uniq_picture_shape shape = uniq_model_picture_shape(model_);
  EXPECT_EQ(shape.channels, 3);
  EXPECT_EQ(shape.height, 12);
  EXPECT_EQ(shape.width, 10);
  EXPECT_EQ(uniq_model_classes(model_), 4);
  EXPECT_STREQ(uniq_model_class_name(model_, 3), "class 3");
  EXPECT_STREQ(uniq_model_class_name(model_, 4), "");
  EXPECT_STREQ(uniq_model_class_name(model_, -1), "");
  EXPECT_EQ(uniq_version(), version());
}

TEST_F(CApi, RunsAsTheSessionDoes) {
  std::vector<std::uint8_t> pictures(2 * 3 * 12 * 10);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    pictures[i] = static_cast<std::uint8_t>(i * 37 % 251);
  std::vector<float> expected(8), found(8);
  Session(std::make_shared<const Network>(network_), {.threads = 1}).run(pictures, expected);
  ASSERT_EQ(uniq_session_create(model_, 2, &session_), UNIQ_OK) << uniq_last_error();
  uniq_model_destroy(model_);  // the session keeps what it needs
  model_ = nullptr;
  ASSERT_EQ(uniq_session_run(session_, pictures.data(), 2, found.data()), UNIQ_OK);
  EXPECT_EQ(std::memcmp(found.data(), expected.data(), 8 * sizeof(float)), 0);
  EXPECT_EQ(uniq_session_run(session_, nullptr, 0, nullptr), UNIQ_OK);
}

// Pictures begin at any address, logits at any of a float; nothing beside either is touched.
TEST_F(CApi, TakesPicturesAndGivesLogitsAtAnyAddress) {
  ASSERT_EQ(uniq_session_create(model_, 2, &session_), UNIQ_OK) << uniq_last_error();
  constexpr std::size_t kCount = 3;
  std::vector<std::uint8_t> pictures(kCount * 3 * 12 * 10);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    pictures[i] = static_cast<std::uint8_t>(i * 41 % 251);
  std::vector<float> expected(kCount * 4);
  ASSERT_EQ(uniq_session_run(session_, pictures.data(), kCount, expected.data()), UNIQ_OK);
  for (const auto side : {testing::Side::begin, testing::Side::end})
    for (std::size_t odd = 0; odd < 9; ++odd) {
      // What lies before, or behind, shifts the pictures against the page.
      std::vector<std::uint8_t> bytes(odd, 0xee);
      bytes.insert(side == testing::Side::begin ? bytes.end() : bytes.begin(), pictures.begin(),
                   pictures.end());
      testing::Guarded<std::uint8_t> from(bytes, side);
      testing::Guarded<float> to(std::vector<float>(odd + expected.size(), -77.0f), side);
      const std::size_t offset = side == testing::Side::begin ? odd : 0;
      ASSERT_EQ(uniq_session_run(session_, from.data() + offset, kCount, to.data() + offset),
                UNIQ_OK);
      EXPECT_EQ(std::memcmp(to.data() + offset, expected.data(), expected.size() * sizeof(float)),
                0);
      const std::vector<float> all = to.values();
      EXPECT_EQ(std::ranges::count(all, -77.0f), static_cast<std::ptrdiff_t>(odd));
    }
}

TEST_F(CApi, TheEnvironmentChoosesTheInstructionSet) {
  setenv("UNIQ_ISA", "scalar", 1);
  uniq_model* scalar = nullptr;
  ASSERT_EQ(uniq_model_load(path_.c_str(), &scalar), UNIQ_OK);
  EXPECT_STREQ(uniq_model_isa(scalar), "scalar");
  uniq_model_destroy(scalar);
  setenv("UNIQ_ISA", "mmx", 1);
  scalar = nullptr;
  EXPECT_EQ(uniq_model_load(path_.c_str(), &scalar), UNIQ_WRONG_ARGUMENT);
  EXPECT_THAT(uniq_last_error(), AllOf(HasSubstr("UNIQ_ISA"), HasSubstr("mmx")));
  EXPECT_EQ(scalar, nullptr);
}

TEST_F(CApi, SaysWhatIsWrongWithAFile) {
  uniq_model* other = nullptr;
  EXPECT_EQ(uniq_model_load((folder_ / "none.uniq").c_str(), &other), UNIQ_FAILED);
  EXPECT_THAT(uniq_last_error(), HasSubstr("none.uniq"));
  write_file(folder_ / "text.uniq", std::string(1000, 'x'));
  EXPECT_EQ(uniq_model_load((folder_ / "text.uniq").c_str(), &other), UNIQ_FAILED);
  EXPECT_THAT(uniq_last_error(), HasSubstr("text.uniq"));
  EXPECT_EQ(other, nullptr);
}

TEST_F(CApi, RefusesMissingPointersAndWrongNumbers) {
  std::vector<float> logits(4);
  const std::vector<std::uint8_t> picture(3 * 12 * 10);
  EXPECT_EQ(uniq_model_load(nullptr, &model_), UNIQ_WRONG_ARGUMENT);
  EXPECT_EQ(uniq_model_load(path_.c_str(), nullptr), UNIQ_WRONG_ARGUMENT);
  EXPECT_EQ(uniq_session_create(nullptr, 1, &session_), UNIQ_WRONG_ARGUMENT);
  EXPECT_EQ(uniq_session_create(model_, 1, nullptr), UNIQ_WRONG_ARGUMENT);
  for (const int threads : {-1, 257, 1000}) {
    EXPECT_EQ(uniq_session_create(model_, threads, &session_), UNIQ_WRONG_ARGUMENT);
    EXPECT_THAT(uniq_last_error(), HasSubstr(std::to_string(threads)));
  }
  ASSERT_EQ(uniq_session_create(model_, 1, &session_), UNIQ_OK);
  EXPECT_EQ(uniq_session_run(nullptr, picture.data(), 1, logits.data()), UNIQ_WRONG_ARGUMENT);
  EXPECT_EQ(uniq_session_run(session_, nullptr, 1, logits.data()), UNIQ_WRONG_ARGUMENT);
  EXPECT_EQ(uniq_session_run(session_, picture.data(), 1, nullptr), UNIQ_WRONG_ARGUMENT);
  EXPECT_EQ(uniq_session_run(session_, picture.data(), SIZE_MAX / 2, logits.data()),
            UNIQ_WRONG_ARGUMENT);
  uniq_model_destroy(nullptr);
  uniq_session_destroy(nullptr);
  EXPECT_EQ(uniq_model_classes(nullptr), 0);
  EXPECT_STREQ(uniq_model_class_name(nullptr, 0), "");
  EXPECT_EQ(uniq_model_picture_shape(nullptr).height, 0);
}

}  // namespace
}  // namespace uniq::runtime
