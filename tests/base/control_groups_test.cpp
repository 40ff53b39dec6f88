// The reader of control groups, on small trees of files that imitate what Linux shows.
#include "uniq/base/control_groups.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "tests/base/temporary_folder.h"

namespace uniq {
namespace {

namespace fs = std::filesystem;

/// A root folder with /proc/self and whatever is mounted.
class ControlGroups : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& contents) const {
    const fs::path path = folder_ / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << contents;
  }
  void groups(const std::string& lines) const { write("proc/self/cgroup", lines); }
  void mounts(const std::string& lines) const {
    write("proc/self/mountinfo",
          "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
          "22 21 0:5 / /proc rw,nosuid - proc proc rw\n" +
              lines);
  }
  static std::string v2_mount(const std::string& root, const std::string& point) {
    return "30 21 0:26 " + root + " " + point +
           " rw,nosuid,nodev shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate\n";
  }
  static std::string v1_mount(const std::string& root, const std::string& point,
                              const std::string& controllers = "cpu,cpuacct") {
    return "33 21 0:30 " + root + " " + point + " rw,nosuid - cgroup cgroup rw," + controllers +
           "\n";
  }
  void v1_quota(const std::string& group, const std::string& quota,
                const std::string& period = "100000\n") const {
    write(group + "/cpu.cfs_quota_us", quota);
    write(group + "/cpu.cfs_period_us", period);
  }

  std::optional<CpuQuota> quota() const { return cpu_quota(folder_ / "proc", folder_.path()); }
  /// "<quota>/<period> <file>", or "none".
  std::string found() const {
    const std::optional<CpuQuota> quota = this->quota();
    if (!quota) return "none";
    return std::to_string(quota->quota) + "/" + std::to_string(quota->period) + " " +
           quota->file.lexically_relative(folder_.path()).string();
  }

  testing::TemporaryFolder folder_;
};

TEST(CpuQuota, CountsWholeCpus) {
  EXPECT_EQ((CpuQuota{.file = {}, .quota = 400'000, .period = 100'000}.whole_cpus()), 4);
  EXPECT_EQ((CpuQuota{.file = {}, .quota = 399'999, .period = 100'000}.whole_cpus()), 3);
  EXPECT_EQ((CpuQuota{.file = {}, .quota = 1'000, .period = 100'000}.whole_cpus()), 0);
}

TEST_F(ControlGroups, NothingIsMounted) {
  EXPECT_EQ(found(), "none");
  groups("0::/\n");
  EXPECT_EQ(found(), "none");
  mounts("");
  EXPECT_EQ(found(), "none");
}

TEST_F(ControlGroups, Version2) {
  groups("0::/system.slice/app.service\n");
  mounts(v2_mount("/", "/sys/fs/cgroup"));
  EXPECT_EQ(found(), "none");
  write("sys/fs/cgroup/system.slice/app.service/cpu.max", "max 100000\n");
  EXPECT_EQ(found(), "none");
  write("sys/fs/cgroup/system.slice/app.service/cpu.max", "250000 100000\n");
  EXPECT_EQ(found(), "250000/100000 sys/fs/cgroup/system.slice/app.service/cpu.max");
  write("sys/fs/cgroup/other.slice/cpu.max", "1000 100000\n");
  EXPECT_EQ(found(), "250000/100000 sys/fs/cgroup/system.slice/app.service/cpu.max");
}

// As docker and podman show it: the container's group is the root of what is mounted.
TEST_F(ControlGroups, Version2InAContainer) {
  groups("0::/\n");
  mounts(v2_mount("/", "/sys/fs/cgroup"));
  write("sys/fs/cgroup/cpu.max", "150000 50000\n");
  EXPECT_EQ(found(), "150000/50000 sys/fs/cgroup/cpu.max");
  EXPECT_EQ(quota()->whole_cpus(), 3);
}

TEST_F(ControlGroups, TheTightestOfTheParentsCounts) {
  groups("0::/a/b/c\n");
  mounts(v2_mount("/", "/cg"));
  write("cg/a/b/c/cpu.max", "800000 100000\n");
  write("cg/a/b/cpu.max", "max 100000\n");
  write("cg/a/cpu.max", "150000 50000\n");
  EXPECT_EQ(found(), "150000/50000 cg/a/cpu.max");
  write("cg/cpu.max", "200000 100000\n");
  EXPECT_EQ(found(), "200000/100000 cg/cpu.max");
  write("cg/a/b/c/cpu.max", "10000 10000\n");
  EXPECT_EQ(found(), "10000/10000 cg/a/b/c/cpu.max");
}

TEST_F(ControlGroups, Version1) {
  groups("9:name=systemd:/user.slice\n4:cpuset:/\n3:cpu,cpuacct:/user.slice/box\n");
  mounts(v1_mount("/", "/sys/fs/cgroup/cpuset", "cpuset") +
         v1_mount("/", "/sys/fs/cgroup/cpu,cpuacct"));
  const std::string top = "sys/fs/cgroup/cpu,cpuacct";
  v1_quota(top, "-1\n");
  v1_quota(top + "/user.slice", "-1\n");
  v1_quota(top + "/user.slice/box", "-1\n");
  EXPECT_EQ(found(), "none");
  v1_quota(top + "/user.slice/box", "50000\n", "20000\n");
  EXPECT_EQ(found(), "50000/20000 " + top + "/user.slice/box/cpu.cfs_quota_us");
  v1_quota(top + "/user.slice", "200000\n");
  EXPECT_EQ(found(), "200000/100000 " + top + "/user.slice/cpu.cfs_quota_us");
  v1_quota("sys/fs/cgroup/cpuset", "1000\n");  // that is not the controller's
  EXPECT_EQ(found(), "200000/100000 " + top + "/user.slice/cpu.cfs_quota_us");
}

// Docker with version 1: the mount shows the container's group alone, under the host's name.
TEST_F(ControlGroups, Version1InAContainer) {
  groups("3:cpuacct,cpu:/docker/1a2b\n0::/system.slice/docker.service\n");
  mounts(v1_mount("/docker/1a2b", "/sys/fs/cgroup/cpu"));
  v1_quota("sys/fs/cgroup/cpu", "300000\n");
  EXPECT_EQ(found(), "300000/100000 sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  groups("3:cpuacct,cpu:/docker/1a2b/inner\n");
  v1_quota("sys/fs/cgroup/cpu/inner", "150000\n");
  EXPECT_EQ(found(), "150000/100000 sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us");
  groups("3:cpuacct,cpu:/docker/1a2bc\n");  // another group, whose name only begins so
  v1_quota("sys/fs/cgroup/cpu/c", "100000\n");
  EXPECT_EQ(found(), "300000/100000 sys/fs/cgroup/cpu/cpu.cfs_quota_us");
}

// The controller is in one hierarchy only, whatever files the other has.
TEST_F(ControlGroups, Hybrid) {
  groups("1:cpu:/work\n0::/work\n");
  mounts(v1_mount("/", "/sys/fs/cgroup/cpu", "cpu") + v2_mount("/", "/sys/fs/cgroup/unified"));
  write("sys/fs/cgroup/unified/work/cpu.max", "100000 100000\n");
  EXPECT_EQ(found(), "none");
  v1_quota("sys/fs/cgroup/cpu/work", "600000\n");
  EXPECT_EQ(found(), "600000/100000 sys/fs/cgroup/cpu/work/cpu.cfs_quota_us");
  groups("0::/work\n1:memory:/work\n");  // now version 2 has it
  EXPECT_EQ(found(), "100000/100000 sys/fs/cgroup/unified/work/cpu.max");
}

// A process that was moved out of its container sees names that lead above what is mounted.
TEST_F(ControlGroups, GroupsThatAreNotMountedStandForWhatIs) {
  groups("0::/../other\n");
  mounts(v2_mount("/", "/sys/fs/cgroup"));
  write("sys/fs/other/cpu.max", "100000 100000\n");
  EXPECT_EQ(found(), "none");
  write("sys/fs/cgroup/cpu.max", "700000 100000\n");
  EXPECT_EQ(found(), "700000/100000 sys/fs/cgroup/cpu.max");
  groups("0::/mine\n");
  mounts(v2_mount("/theirs", "/a") + v2_mount("/", "/b"));
  write("a/cpu.max", "100000 100000\n");
  write("b/mine/cpu.max", "900000 100000\n");
  EXPECT_EQ(found(), "900000/100000 b/mine/cpu.max") << "theirs is another group";
}

TEST_F(ControlGroups, NamesWithBlanksColonsAndBackslashes) {
  groups("0::/a b/c:d\\e\n");
  mounts(v2_mount("/a\\040b", "/control\\040groups\\011\\134x"));
  write("control groups\t\\x/c:d\\e/cpu.max", "200000 100000\n");
  EXPECT_EQ(found(), "200000/100000 control groups\t\\x/c:d\\e/cpu.max");
}

TEST_F(ControlGroups, DamagedContentsCountAsNone) {
  groups("0::/\n");
  mounts(v2_mount("/", "/cg"));
  for (const char* const text :
       {"", "\n", "max", "100000", "100000 ", "100000 0", "0 100000", "-1 100000", "1e5 100000",
        "100000  100000", " 100000 100000", "100000 100000 x", "100000\t100000", "0x10 16",
        "99999999999999999999 100000", "100000 99999999999999999999", "100000 -100000", "nan 1"}) {
    write("cg/cpu.max", text);
    EXPECT_EQ(found(), "none") << text;
  }
  fs::remove(folder_ / "cg/cpu.max");
  fs::create_directories(folder_ / "cg/cpu.max");
  EXPECT_EQ(found(), "none") << "a folder";
  fs::remove(folder_ / "cg/cpu.max");
  write("cg/cpu.max", "9223372036854775807 1");  // without a line end
  EXPECT_EQ(quota()->whole_cpus(), 9223372036854775807);

  v1_quota("v1", "100000\n", "");
  for (const char* const lines : {"1:cpu:/\n", "1:cpu:", "cpu:/\n", "::\n", ":\n", "\n\n", "0::"}) {
    groups(lines);
    mounts(v1_mount("/", "/v1"));
    EXPECT_EQ(found(), "none") << lines;
  }
}

TEST_F(ControlGroups, DamagedMountsCountAsNone) {
  groups("0::/\n");
  write("cg/cpu.max", "100000 100000\n");
  for (const std::string line :
       {"30 21 0:26 / /cg rw cgroup2 cgroup2 rw\n", "30 21 0:26 / /cg - cgroup2\n",
        "- cgroup2 x y\n", "30 21 0:26 / /cg rw - cgroup cgroup rw\n",
        "30 21 0:26 / /c\\1 rw - cgroup2 x rw\n", "\n"}) {
    mounts(line);
    EXPECT_EQ(found(), "none") << line;
  }
  mounts("30 21 0:26 / /cg rw - cgroup2 x rw");  // cut off behind all that is needed
  EXPECT_EQ(found(), "100000/100000 cg/cpu.max");
}

TEST_F(ControlGroups, TheSystemsOwnCanBeRead) {
  const std::optional<CpuQuota> quota = cpu_quota();
  if (!quota) return;
  EXPECT_GE(quota->quota, 1);
  EXPECT_GE(quota->period, 1);
  EXPECT_TRUE(fs::exists(quota->file)) << quota->file;
}

}  // namespace
}  // namespace uniq
