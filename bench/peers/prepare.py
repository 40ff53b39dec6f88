"""Makes the models of all engines, once for each network, batch and seed."""

import hashlib
import shutil
import subprocess

import engines

FP32 = ("networks.py", "pictures.py", "make_fp32.py")


def install(environments):
    """Shows what install.sh says: it may take minutes."""
    result = subprocess.run(["bash", engines.HERE / "install.sh", *environments], check=False)
    if result.returncode != 0:
        raise engines.Failure("installing failed (above: why)")


def digest(*files):
    """Of the sources that make a model: it is made anew where they have changed."""
    total = hashlib.sha256()
    for file in (*files, "install.sh"):
        total.update((engines.HERE / file).read_bytes())
    return total.hexdigest()


def made(folder, step, key):
    """True where this step's files are there and of these sources."""
    path = folder / f"{step}.made"
    return path.exists() and path.read_text(encoding="utf-8") == key


def make(folder, step, key, action):
    if made(folder, step, key):
        return
    print(f"Making {folder.name}: {step}", flush=True)
    action()
    (folder / f"{step}.made").write_text(key, encoding="utf-8")


def models(network, batch, seed, environments):
    """The folder with what these environments run."""
    folder = engines.BUILD / "models" / f"{network}-batch{batch}-seed{seed}"
    key = digest(*FP32)
    if not made(folder, "fp32", key):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    make(folder, "fp32", key, lambda: engines.python(
        "executorch", "make_fp32.py", network, folder, "--batch", batch, "--seed", seed))
    for name in environments:
        script = f"quantize_{name}.py"
        make(folder, name, digest(*FP32, script),
             lambda name=name, script=script: engines.python(name, script, folder))
    return folder


def packed(program, network, bits, ends, shortcut):
    """A packed model of this project, with random weights."""
    name = f"{network}-{bits}" + (f"-ends-{ends}" if ends else "")
    name += f"-shortcut-{shortcut}" if shortcut else ""
    path = engines.BUILD / "models" / f"{name}.uniq"
    path.parent.mkdir(parents=True, exist_ok=True)
    engines.run([program, "pack", "--random", network, "--bits", bits,
                 *(["--ends", ends] if ends else []),
                 *(["--shortcut", shortcut] if shortcut else []), "-o", path])
    return path
