#!/usr/bin/env python3
"""Checks the baseline of bench/train_step: the same fp32 network, written in Python with torch, must
take as long (within 5 %) as the C++ baseline. Runs both in turns, each in a process of its own, and
prints the ratio; exits 1 where it is further off.

    python bench/train_step_baseline.py build/release/bin/train_step
"""
import re
import statistics
import subprocess
import sys
import time

ROUNDS, STEPS, WARM_UP = 4, 15, 3


def python_step_ms():
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    class Block(nn.Module):
        def __init__(self, i, o, stride):
            super().__init__()
            self.bn1, self.bn2 = nn.BatchNorm2d(i), nn.BatchNorm2d(o)
            self.conv1 = nn.Conv2d(i, o, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
            plain = stride == 1 and i == o
            self.downsample = None if plain else nn.Conv2d(i, o, 1, stride, bias=False)

        def forward(self, x):
            a = F.relu(self.bn1(x), inplace=True)
            shortcut = self.downsample(a) if self.downsample is not None else x
            y = self.conv2(F.relu(self.bn2(self.conv1(a)), inplace=True))
            y += shortcut
            return y

    def stage(i, o, stride):
        return nn.Sequential(Block(i, o, stride), *[Block(o, o, 1) for _ in range(4)])

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), stage(16, 16, 1), stage(16, 32, 2),
        stage(32, 64, 2), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(64, 100)).to(memory_format=torch.channels_last)
    x = torch.randn(128, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(100, (128,))
    # foreach=False is the C++ optimizer's way: one parameter after the other.
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4,
                                foreach=False)
    times = []
    for _ in range(WARM_UP + STEPS):
        start = time.perf_counter()
        loss = F.cross_entropy(network(x), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[WARM_UP:])


def cpp_step_ms(program):
    out = subprocess.run([program, "--baseline-only", "--default-allocator",
                          "--alternations", str(STEPS)], check=True, capture_output=True, text=True)
    return float(re.search(r"fp32 .*median\s+([\d.]+)", out.stdout).group(1))


def main():
    if sys.argv[1:] == ["--python-only"]:
        print(python_step_ms())
        return 0
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    cpp, python = [], []
    for _ in range(ROUNDS):
        cpp.append(cpp_step_ms(sys.argv[1]))
        out = subprocess.run([sys.executable, __file__, "--python-only"], check=True,
                             capture_output=True, text=True)
        python.append(float(out.stdout))
    ratio = min(cpp) / min(python)
    print(f"fp32 step: C++ {min(cpp):.2f} ms, Python {min(python):.2f} ms, ratio {ratio:.3f}")
    return 0 if abs(ratio - 1.0) <= 0.05 else 1


if __name__ == "__main__":
    sys.exit(main())
