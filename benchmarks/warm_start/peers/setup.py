"""Makes the peers' virtual environments, in Graft's cache folder: 2 GB and some minutes.

    ./dev python benchmarks/warm_start/peers/setup.py [PEER …]

A peer that cannot be installed is reported and does not keep the others from it.
"""

import argparse
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.warm_start.methods.peers import environments_folder

PACKAGES = {
    "optuna": ["optuna==5.0.0"],
    "syne-tune": ["syne-tune==0.16", "huggingface_hub", "scikit-learn", "xgboost"],
    "openbox": ["openbox==0.9.0"],
    "vizier": [
        "google-vizier==0.1.24",
        "jax==0.4.35",
        "jaxlib==0.4.35",
        "tfp-nightly==0.25.0.dev20241001",
        "equinox",
        "flax",
    ],
}
"""By environment; where a library states no bounds, the versions that it was seen to run with."""


def main() -> int:
    """Makes what is missing; the exit code counts the failures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PACKAGES)}")
    names = parser.parse_args().peers or list(PACKAGES)
    if unknown := set(names) - set(PACKAGES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return sum(not _make(environments_folder() / name, PACKAGES[name]) for name in names)


def _make(folder: Path, packages: list[str]) -> bool:
    if folder.exists():
        print(f"{folder.name}: there already")
        return True
    # A half-made environment must not be taken for one.
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    # Scripts in it name its path; only its Python is used, by a path of its own.
    venv.create(partial, with_pip=True)
    command = [partial / "bin" / "python", "-m", "pip", "install", "--quiet", *packages]
    done = subprocess.run(command, check=False)
    if done.returncode:
        print(f"{folder.name}: could not be installed", file=sys.stderr)
        return False
    partial.rename(folder)
    print(f"{folder.name}: made")
    return True


if __name__ == "__main__":
    sys.exit(main())
