"""Tests of scripts/common.sh, with stand-ins for apt-get, sudo, dpkg-query, id and cmake on the
PATH: nothing is installed."""

import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Common(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.environment = {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": folder.name}

    def stand_in(self, name, text):
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)

    def call(self, command, **environment):
        return subprocess.run(
            ["bash", "-c", f"set -euo pipefail; source {shlex.quote(str(ROOT))}/scripts/common.sh; {command}"],
            capture_output=True, text=True, check=False,
            env={**self.environment, **environment})

    def without(self, *missing):
        """dpkg-query knows every package but these."""
        cases = "|".join(missing) or "-"
        self.stand_in("dpkg-query", 'for name in "${@:4}"; do case $name in ' + cases +
                      ') ;; *) echo "$name installed" ;; esac; done')
        self.stand_in("cmake", "echo cmake version 3.31.0")

    def torch_at(self, place):
        folder = self.folder / place
        folder.mkdir(parents=True)
        (folder / "TorchConfig.cmake").touch()
        return folder

    def test_groups(self):
        build = self.call("listed_packages build").stdout.split()
        test = self.call("listed_packages test").stdout.split()
        full = self.call("listed_packages full").stdout.split()
        self.assertIn("dataset-fashion-mnist", build)
        self.assertIn("libgtest-dev", build)  # configuring asks for it, tests or not
        self.assertIn("clang-format", test)
        self.assertIn("clang-tidy", full)
        every = self.call("listed_packages build test full").stdout.split()
        self.assertEqual(every, build + test + full)
        self.assertEqual(len(every), len(set(every)))

    def test_nothing_to_install(self):
        self.without()
        self.stand_in("apt-get", "echo must not run; exit 9")
        result = self.call("install_packages build test full")
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)

    def test_installs_only_what_is_missing(self):
        self.without("ccache", "zlib1g-dev")
        self.stand_in("id", "echo 0")
        self.stand_in("apt-get", 'echo "apt-get $*"')
        result = self.call("install_packages build")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.split("\n")[1:4], [
            "== Installing Debian packages: ccache zlib1g-dev", "apt-get update --quiet",
            "apt-get install --yes --no-install-recommends ccache zlib1g-dev --quiet"])

    def test_uses_sudo_where_it_may(self):
        self.without("ccache")
        self.stand_in("id", "echo 1000")
        self.stand_in("sudo", 'echo "sudo $*"')
        result = self.call("install_packages build")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install --yes "
                      "--no-install-recommends ccache", result.stdout)

    def test_prints_the_command_and_stops_where_it_may_not(self):
        self.without("ccache", "g++")
        self.stand_in("id", "echo 1000")
        self.stand_in("sudo", "exit 1")
        self.stand_in("apt-get", "echo must not run")
        result = self.call("install_packages build; echo went on")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("    sudo apt-get update && sudo apt-get install --yes "
                      "--no-install-recommends g++ ccache\n", result.stderr)

    def test_a_failed_installation_stops(self):
        self.without("ccache")
        self.stand_in("id", "echo 0")
        self.stand_in("apt-get", '[[ "$1" == update ]] || exit 100')
        result = self.call("install_packages build; echo went on")
        self.assertEqual(result.returncode, 100)
        self.assertNotIn("went on", result.stdout)

    def test_cmake_on_the_path_serves(self):
        self.without("cmake")
        self.assertEqual(self.call("missing_packages build").stdout, "")
        self.assertEqual(self.call("find_cmake").stdout, f"{self.bin}/cmake\n")

    def test_an_old_cmake_on_the_path_does_not(self):
        self.stand_in("cmake", "echo cmake version 3.18.4")
        self.assertNotEqual(self.call("find_cmake").stdout, f"{self.bin}/cmake\n")

    def test_versions(self):
        for have, want, good in [("3.25", "3.25", True), ("3.25.1", "3.25", True),
                                 ("3.9", "3.25", False), ("4.0", "3.25", True)]:
            result = self.call(f"version_at_least {have} {want}")
            self.assertEqual(result.returncode == 0, good, (have, want))

    def test_torch_given_by_its_folder(self):
        folder = self.torch_at("a/share/cmake/Torch")
        result = self.call('find_or_install_torch; echo "[$Torch_DIR]"', Torch_DIR=str(folder))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"[{folder}]", result.stdout)

    def test_torch_given_by_a_prefix(self):
        self.torch_at("wheel/share/cmake/Torch")
        self.torch_at("venv/share/cmake/Torch")
        for prefixes, expected in [("/nowhere:{0}/wheel", "wheel/share/cmake/Torch"),
                                   ("/nowhere;{0}/venv/share/cmake", "venv/share/cmake/Torch"),
                                   ("{0}/wheel:{0}/venv", "wheel/share/cmake/Torch")]:
            result = self.call('find_or_install_torch; echo "[$Torch_DIR]"',
                               CMAKE_PREFIX_PATH=prefixes.format(self.folder))
            self.assertIn(f"[{self.folder}/{expected}]", result.stdout, result.stderr)

    def test_a_wrong_folder_is_refused(self):
        result = self.call("find_or_install_torch; echo went on", Torch_DIR="/nowhere")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("Torch_DIR: got /nowhere, expected a folder with TorchConfig.cmake",
                      result.stderr)

    def test_a_prefix_without_torch_gives_none(self):
        result = self.call("given_torch", CMAKE_PREFIX_PATH=f"/nowhere:{self.folder}")
        self.assertEqual((result.returncode, result.stdout), (1, ""))


if __name__ == "__main__":
    unittest.main()
