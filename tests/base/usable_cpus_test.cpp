#include "uniq/base/usable_cpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/base/one_cpu.h"
#include "uniq/base/thread_pool.h"

namespace uniq {
namespace {

using Limit = UsableCpus::Limit;

CpuQuota quota(std::int64_t time, std::int64_t period) {
  return {.file = "/cg/cpu.max", .quota = time, .period = period};
}

TEST(UsableCpus, AreThoseOfTheMaskWithinTheQuota) {
  struct Case {
    int affinity;
    std::optional<CpuQuota> quota;
    int count;
    Limit limit;
    std::string why;
  };
  const std::string allows = "the control group allows ";
  for (const Case& c : {
           Case{1, {}, 1, Limit::affinity, "the affinity mask has 1 CPU"},
           Case{64, {}, 64, Limit::affinity, "the affinity mask has 64 CPUs"},
           Case{2, quota(800'000, 100'000), 2, Limit::affinity, "the affinity mask has 2 CPUs"},
           Case{8, quota(800'000, 100'000), 8, Limit::affinity, "the affinity mask has 8 CPUs"},
           Case{8, quota(250'000, 100'000), 2, Limit::control_group,
                allows + "250000 us of CPU time in 100000 us (/cg/cpu.max)"},
           Case{8, quota(1'000, 100'000), 1, Limit::control_group,
                allows + "1000 us of CPU time in 100000 us (/cg/cpu.max)"},
           Case{kMaxThreads, {}, kMaxThreads, Limit::affinity, "the affinity mask has 256 CPUs"},
           Case{1000, {}, kMaxThreads, Limit::most, "at most 256 threads are allowed"},
           Case{1000, quota(90'000'000, 100'000), kMaxThreads, Limit::most,
                "at most 256 threads are allowed"},
           Case{1000, quota(INT64_MAX, 1), kMaxThreads, Limit::most,
                "at most 256 threads are allowed"},
           Case{1000, quota(20'000'000, 100'000), 200, Limit::control_group,
                allows + "20000000 us of CPU time in 100000 us (/cg/cpu.max)"},
       }) {
    const UsableCpus found = usable_cpus(c.affinity, c.quota);
    EXPECT_EQ(found.count, c.count) << c.why;
    EXPECT_EQ(found.limit, c.limit) << c.why;
    EXPECT_EQ(found.why, c.why);
  }
}

TEST(UsableCpus, HaveNamesForTheirLimits) {
  EXPECT_EQ(limit_name(Limit::affinity), "affinity");
  EXPECT_EQ(limit_name(Limit::control_group), "control_group");
  EXPECT_EQ(limit_name(Limit::most), "most");
}

// A kernel for 4,096 CPUs, as those of distributions are, on a machine that has 1,500.
int large_machine(std::size_t bytes, cpu_set_t* mask) {
  if (bytes < 4096 / 8) return EINVAL;
  for (std::size_t cpu = 0; cpu < 1500; ++cpu) CPU_SET_S(cpu, bytes, mask);
  return 0;
}

TEST(AffinityCpus, TheMaskIsAsLargeAsTheKernelAsksFor) {
  EXPECT_EQ(affinity_cpus(large_machine), 1500);
  EXPECT_EQ(affinity_cpus([](std::size_t bytes, cpu_set_t* mask) {
              if (bytes < (1 << 20) / 8) return EINVAL;
              CPU_SET_S((1 << 20) - 1, bytes, mask);
              CPU_SET_S(0, bytes, mask);
              return 0;
            }),
            2);
}

TEST(AffinityCpus, OneWhereTheMaskCannotBeRead) {
  EXPECT_EQ(affinity_cpus([](std::size_t, cpu_set_t*) { return ENOSYS; }), 1);
  EXPECT_EQ(affinity_cpus([](std::size_t, cpu_set_t*) { return EINVAL; }), 1) << "however large";
  EXPECT_EQ(affinity_cpus([](std::size_t, cpu_set_t*) { return 0; }), 1) << "an empty mask";
}

TEST(UsableCpus, FollowTheMaskOfTheThread) {
  const int before = usable_cpus().count;
  {
    const testing::OneCpu one;
    const UsableCpus held = usable_cpus();
    EXPECT_EQ(held.count, 1);
    // A container may allow less than one CPU.
    EXPECT_EQ(held.limit, usable_cpus(1, cpu_quota()).limit);
  }
  EXPECT_EQ(usable_cpus().count, before);
  EXPECT_GE(before, 1);
}

}  // namespace
}  // namespace uniq
