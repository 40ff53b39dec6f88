// The C interface: models in memory, files that change behind a model, and use for a long time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <algorithm>
#include <cfenv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/base/one_cpu.h"
#include "tests/base/temporary_folder.h"
#include "tests/format/hostile_packed.h"
#include "tests/format/small_model.h"
#include "tests/runtime/packed_networks.h"
#include "tests/support/guarded_memory.h"
#include "uniq/format/packed_file.h"
#include "uniq/models/models.h"
#include "uniq/runtime/session.h"
#include "uniq/runtime/uniq.h"

namespace uniq::runtime {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Bytes = std::vector<std::byte>;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

format::PackedModel resnet() {
  return testing::packed_network(
      models::build_model("preact_resnet8",
                          {.channels = 3, .height = 12, .width = 10, .classes = 4}),
      {.weight_bits = 2, .activation_bits = 2}, 1);
}

/// A model's handle, with what it computes of pictures that differ.
class Model {
 public:
  explicit Model(const std::string& path) { status = uniq_model_load(path.c_str(), &handle); }
  explicit Model(std::span<const std::byte> bytes) {
    status = uniq_model_load_memory(bytes.data(), bytes.size(), &handle);
  }
  ~Model() { uniq_model_destroy(handle); }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  std::vector<float> logits(int threads = 1) const {
    const uniq_picture_shape shape = uniq_model_picture_shape(handle);
    std::vector<std::uint8_t> picture(
        static_cast<std::size_t>(shape.channels * shape.height * shape.width));
    for (std::size_t i = 0; i < picture.size(); ++i)
      picture[i] = static_cast<std::uint8_t>(i * 37 % 251);
    std::vector<float> found(static_cast<std::size_t>(uniq_model_classes(handle)));
    uniq_session* session = nullptr;
    EXPECT_EQ(uniq_session_create(handle, threads, &session), UNIQ_OK) << uniq_last_error();
    EXPECT_EQ(uniq_session_run(session, picture.data(), 1, found.data()), UNIQ_OK);
    uniq_session_destroy(session);
    return found;
  }

  uniq_model* handle = nullptr;
  uniq_status status = UNIQ_OK;
};

class CApiMemory : public ::testing::Test {
 protected:
  std::string path(const std::string& name = "model.uniq") const {
    return (folder_ / name).string();
  }
  void write(std::span<const std::byte> bytes, const std::string& name = "model.uniq") const {
    std::ofstream(path(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  testing::TemporaryFolder folder_;
  const Bytes bytes_ = to_bytes(resnet());
};

TEST_F(CApiMemory, IsTheSameModelAsFromItsFile) {
  write(bytes_);
  const Model file(path());
  ASSERT_EQ(file.status, UNIQ_OK) << uniq_last_error();
  for (std::size_t shift = 0; shift < 9; ++shift) {
    // At any address, with nothing readable behind; and the caller's buffer goes at once.
    Bytes shifted(shift);
    shifted.insert(shifted.end(), bytes_.begin(), bytes_.end());
    auto guarded = std::make_unique<testing::Guarded<std::byte>>(shifted, testing::Side::end);
    const Model memory(std::span<const std::byte>(guarded->data() + shift, bytes_.size()));
    ASSERT_EQ(memory.status, UNIQ_OK) << uniq_last_error();
    std::memset(guarded->data(), 0xff, shifted.size());
    guarded.reset();
    EXPECT_EQ(memory.logits(), file.logits()) << shift;
    EXPECT_STREQ(uniq_model_class_name(memory.handle, 1), "class 1");
  }
}

TEST_F(CApiMemory, RefusesMissingPointers) {
  uniq_model* model = nullptr;
  EXPECT_EQ(uniq_model_load_memory(nullptr, 0, &model), UNIQ_WRONG_ARGUMENT);
  EXPECT_THAT(uniq_last_error(), HasSubstr("(bytes)"));
  EXPECT_EQ(uniq_model_load_memory(bytes_.data(), bytes_.size(), nullptr), UNIQ_WRONG_ARGUMENT);
  EXPECT_EQ(uniq_model_load_memory(bytes_.data(), 0, &model), UNIQ_FAILED);
  EXPECT_THAT(uniq_last_error(), HasSubstr("the file is not a packed model (memory)"));
  EXPECT_EQ(model, nullptr);
}

/// A file in memory: thousands of them are written.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("hostile", MFD_CLOEXEC)) { EXPECT_GE(descriptor_, 0); }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  void write(std::span<const std::byte> bytes) const {
    EXPECT_EQ(::ftruncate(descriptor_, static_cast<off_t>(bytes.size())), 0);
    EXPECT_EQ(::pwrite(descriptor_, bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }

 private:
  int descriptor_;
};

// Both readers make the same of each file, to the text of the error.
TEST_F(CApiMemory, HostileFilesAreRefusedAsFromAFile) {
  std::map<uniq_status, int> outcomes;
  const MemoryFile disk;
  testing::for_each_hostile_packed([&](const std::string& what, std::span<const std::byte> file) {
    disk.write(file);
    const Model from_file(disk.path());
    std::string expected = from_file.status == UNIQ_OK ? "" : uniq_last_error();
    if (const std::size_t name = expected.find(disk.path()); name != std::string::npos)
      expected.replace(name, disk.path().size(), "memory");
    const Bytes no_room_behind(file.begin(), file.end());
    const std::byte none{};
    const Model from_memory(file.empty() ? std::span(&none, 0) : std::span(no_room_behind));
    ASSERT_EQ(from_memory.status, from_file.status) << what << ": " << uniq_last_error();
    ASSERT_EQ(from_memory.handle == nullptr, from_memory.status != UNIQ_OK) << what;
    if (from_memory.status != UNIQ_OK) {
      ASSERT_EQ(uniq_last_error(), expected) << what;
    }
    ++outcomes[from_memory.status];
  });
  EXPECT_GT(outcomes[UNIQ_OK], 100);
  EXPECT_GT(outcomes[UNIQ_FAILED], 5000);
  EXPECT_EQ(outcomes.size(), 2u);
}

// As `cp other.uniq model.uniq` and `: > model.uniq` do, which keep the file and change its bytes.
TEST_F(CApiMemory, NothingDependsOnAFileOnceItIsLoaded) {
  write(bytes_);
  const Model model(path());
  ASSERT_EQ(model.status, UNIQ_OK) << uniq_last_error();
  uniq_session* session = nullptr;
  ASSERT_EQ(uniq_session_create(model.handle, 1, &session), UNIQ_OK);
  const std::vector<float> expected = model.logits();
  const std::vector<std::uint8_t> picture(3 * 12 * 10, 100);
  std::vector<float> before(4), after(4);
  ASSERT_EQ(uniq_session_run(session, picture.data(), 1, before.data()), UNIQ_OK);
  const auto expect_no_change = [&](const char* what) {
    ASSERT_EQ(uniq_session_run(session, picture.data(), 1, after.data()), UNIQ_OK);
    EXPECT_EQ(after, before) << what;
    EXPECT_EQ(model.logits(), expected) << what;
    EXPECT_STREQ(uniq_model_class_name(model.handle, 2), "class 2") << what;
  };
  write(Bytes(bytes_.size(), std::byte{0x5a}));
  expect_no_change("written over");
  fs::resize_file(path(), 0);
  expect_no_change("cut");
  fs::remove(path());
  expect_no_change("removed");
  uniq_session_destroy(session);
}

/// Bytes of memory that the process holds.
std::int64_t resident_bytes() {
  std::int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

/// Bytes of the blocks that the C library has given out and not got back.
std::int64_t bytes_of_blocks() {
  const struct mallinfo2 info = ::mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

TEST_F(CApiMemory, TenThousandLoadsTakeNoMoreMemory) {
  // A convolution and an epilogue: all that a load allocates, in little time.
  testing::ModelMaker m(3);
  const int picture =
      m.input({1, 4, 4}, {{.encoding = {.bits = 2, .grid = Grid::unsigned_, .step = 0.5f}}});
  const Bytes small = to_bytes(m.finish(
      m.conv("fc", picture, {.out_channels = 3, .window = {.kernel = 4}}, {{.affine = true}})));
  write(small);
  const auto load = [&](int round) {
    const Model model = round % 2 == 0 ? Model(path()) : Model(std::span(small));
    ASSERT_EQ(model.status, UNIQ_OK) << uniq_last_error();
    model.logits(round % 64 == 0 ? 2 : 1);
    const Model bad{std::span(small).first(small.size() - 1)};
    ASSERT_EQ(bad.status, UNIQ_FAILED);
  };
  constexpr int kWarmUp = 500;
  constexpr int kLoads = kIsSanitized ? 300 : 10'000;
  for (int round = 0; round < kWarmUp; ++round) load(round);
  const std::int64_t before = resident_bytes();
  const std::int64_t blocks_before = bytes_of_blocks();
  for (int round = 0; round < kLoads; ++round) load(round);
  // Blocks lost by every load are at least 16 bytes each, pages that it mapped 4,096. Sanitizers
  // keep freed memory for a while; that of addresses finds what is lost by itself.
  if (!kIsSanitized) {
    EXPECT_LT(bytes_of_blocks() - blocks_before, std::int64_t{8} * kLoads);
    EXPECT_LT(resident_bytes() - before, std::int64_t{1024} * kLoads);
  }
}

/// The threads of this process. One that ended is still listed for a moment after it was joined.
std::set<std::string> threads_here() {
  std::set<std::string> threads;
  for (const auto& entry : fs::directory_iterator("/proc/self/task"))
    threads.insert(entry.path().filename());
  return threads;
}

TEST_F(CApiMemory, ThreadsZeroIsOneForEachUsableCpu) {
  std::thread([] {}).join();  // the thread sanitizer starts one of its own beside the first
  const Model model{std::span(bytes_)};
  ASSERT_EQ(model.status, UNIQ_OK) << uniq_last_error();
  const auto started = [&](int threads) {
    const std::set<std::string> before = threads_here();
    uniq_session* session = nullptr;
    EXPECT_EQ(uniq_session_create(model.handle, threads, &session), UNIQ_OK) << uniq_last_error();
    const std::set<std::string> now = threads_here();
    uniq_session_destroy(session);
    return std::ranges::count_if(now, [&](const auto& name) { return !before.contains(name); });
  };
  EXPECT_EQ(started(3), 2) << "the caller's thread is one of them";
  const testing::OneCpu one;
  EXPECT_EQ(started(0), 0);
  EXPECT_EQ(started(2), 1) << "what is asked for is started";
}

/// While it lives, the calling thread rounds upwards and takes subnormal numbers as zeros.
class OddArithmetic {
 public:
  OddArithmetic() {
    std::fegetenv(&before_);
    std::fesetround(FE_UPWARD);
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040U);
#endif
  }
  ~OddArithmetic() { std::fesetenv(&before_); }
  OddArithmetic(const OddArithmetic&) = delete;
  OddArithmetic& operator=(const OddArithmetic&) = delete;

 private:
  std::fenv_t before_;
};

TEST_F(CApiMemory, ResultsDoNotDependOnTheCallersArithmetic) {
  const Model usual{std::span(bytes_)};
  const std::vector<float> expected = usual.logits(2);
  const OddArithmetic odd;
  const Model model{std::span(bytes_)};
  EXPECT_EQ(model.logits(1), expected);
  EXPECT_EQ(model.logits(3), expected);
  EXPECT_EQ(usual.logits(2), expected);
  EXPECT_EQ(std::fegetround(), FE_UPWARD) << "the caller keeps its own";
}

// What the thread sanitizer looks at: models and sessions come and go while others run.
TEST_F(CApiMemory, SessionsComeAndGoWhileOthersRun) {
  uniq_model* model = nullptr;
  ASSERT_EQ(uniq_model_load_memory(bytes_.data(), bytes_.size(), &model), UNIQ_OK);
  uniq_session* steady = nullptr;
  ASSERT_EQ(uniq_session_create(model, 2, &steady), UNIQ_OK);
  const std::vector<std::uint8_t> picture(3 * 12 * 10, 77);
  std::vector<float> expected(4);
  ASSERT_EQ(uniq_session_run(steady, picture.data(), 1, expected.data()), UNIQ_OK);

  constexpr int kRounds = 12;
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> users;
  for (std::size_t user = 0; user < wrong.size(); ++user)
    users.emplace_back([&, user] {
      const Model own{std::span(bytes_)};  // loaded while others run
      std::vector<float> found(4);
      for (int round = 0; round < kRounds; ++round) {
        const uniq_model* const used = round % 3 == 0 ? own.handle : model;
        uniq_session* session = nullptr;
        const bool is_good =
            uniq_session_create(used, 1 + round % 3, &session) == UNIQ_OK &&
            uniq_session_run(session, picture.data(), 1, found.data()) == UNIQ_OK &&
            found == expected;
        // An error of this thread, which no other sees.
        const std::string number = std::to_string(1000 + static_cast<int>(user));
        uniq_session* none = nullptr;
        const bool is_refused =
            uniq_session_create(used, 1000 + static_cast<int>(user), &none) ==
                UNIQ_WRONG_ARGUMENT &&
            std::string(uniq_last_error()).find("got " + number) != std::string::npos;
        wrong[user] += is_good && is_refused ? 0 : 1;
        uniq_session_destroy(session);
      }
    });
  std::vector<float> found(4);
  for (int round = 0; round < 4 * kRounds; ++round) {
    EXPECT_EQ(uniq_session_run(steady, picture.data(), 1, found.data()), UNIQ_OK);
    EXPECT_EQ(found, expected);
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
  uniq_model_destroy(model);
  EXPECT_EQ(uniq_session_run(steady, picture.data(), 1, found.data()), UNIQ_OK);
  EXPECT_EQ(found, expected);
  uniq_session_destroy(steady);
}

// A child, whose memory nobody else needs, loads a model that does not fit any more.
TEST(CApiMemoryDeathTest, SaysThatMemoryIsMissing) {
  if (kIsSanitized) GTEST_SKIP() << "sanitizers need address space of their own";
  const testing::TemporaryFolder folder;
  const fs::path file = folder / "m.uniq";
  format::write_packed(file, resnet());
  const auto load = [&] {
    const rlimit limit{std::uint64_t{1} << 20, std::uint64_t{1} << 20};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(2);
    uniq_model* model = nullptr;
    for (int i = 0; i < 10'000; ++i) {
      const uniq_status status = uniq_model_load(file.c_str(), &model);
      if (status != UNIQ_OK) ::_exit(status == UNIQ_OUT_OF_MEMORY ? 0 : 3);
    }
    ::_exit(4);
  };
  EXPECT_EXIT(load(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace uniq::runtime
