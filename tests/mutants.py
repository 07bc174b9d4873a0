"""Makes small faults in the pure modules and tells those that the nearest tests do not catch.

    pip install cosmic-ray
    PYTHONPATH=. python tests/mutants.py [--most 60] [models/metrics.py ...]

Cosmic Ray makes the faults: another comparison, another number, `and` for `or`, no decorator, a
loop that never runs. One kind is made here, a statement that is left out. A sample is drawn of all
faults of a module. Each is tried in a forked process, in which the libraries are imported already
and the module comes from the faulty source; nothing is written to the disk.
"""

import argparse
import contextlib
import importlib
import importlib.machinery
import importlib.util
import io
import json
import os
import random
import resource
import signal
import sys
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from types import ModuleType
from typing import Any

import parso
import pytest
from cosmic_ray.ast import Visitor, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names

UNIT = "tests/unit"
ROOMS = {
    "models/metrics.py": ["models/test_metrics.py", "models/test_intervals.py"],
    "models/intervals.py": ["models/test_intervals.py"],
    "models/head/evidence.py": ["models/head/test_evidence.py"],
    "models/curves/freeze_thaw.py": ["models/curves/test_freeze_thaw.py"],
    "models/curves/cold.py": ["models/curves/test_cold.py"],
    "models/history/search_space.py": [
        "models/history/test_search_space.py",
        "-k",
        "not seed and not bayesian and not small and not algorithm",
    ],
    "models/data/image_statistics.py": ["models/data/test_image_statistics.py"],
    "models/data/near_duplicates.py": ["models/data/test_near_duplicates.py"],
    "components/example_gen/shares.py": ["components/example_gen/test_split.py"],
    "components/example_gen/split.py": ["components/example_gen/test_split.py"],
    "components/example_gen/group_split.py": ["components/example_gen/test_split.py"],
    "components/gate/executor.py": ["components/gate/test_gate.py"],
    "components/judge/checks.py": ["components/judge/test_checks.py"],
    "components/pusher/push.py": ["components/pusher/test_push.py"],
}
"""The modules, and the tests that are to catch their faults."""
_OWN = ("components", "models", "pipeline", "serving")
_LEFT_OUT = (
    "Variable",  # needs names
    "BinaryOperator_BitOr",  # mostly in annotations, where any fault is caught
    "Eq_Is",  # the same for small numbers
)
_SECONDS = 20
_FAST = "-x -q --noconftest --assert=plain -p no:cacheprovider -p no:hypothesispytest -p no:xdist"


class RemoveStatement(Operator):
    """Puts `pass` for an assignment, a call or the like."""

    def mutation_positions(self, node: Any) -> Any:
        """Statements in a body, but for strings (documentation), imports and returns."""
        kinds = ("expr_stmt", "atom_expr", "yield_expr", "raise_stmt")
        is_statement = node.type == "simple_stmt" and node.children[0].type in kinds
        # A field of a class, such as `share: float`, does nothing.
        if is_statement and (node.children[0].type != "expr_stmt" or "=" in node.get_code()):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _: int) -> Any:
        """The statement's place, without it."""
        nothing = parso.parse("pass\n").children[0]
        nothing.get_first_leaf().prefix = node.get_first_leaf().prefix
        return nothing

    @classmethod
    def examples(cls) -> Any:
        """None; Cosmic Ray tests its own."""
        return ()


class _Sites(Visitor):
    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.positions: list[Any] = []

    def visit(self, node: Any) -> Any:
        self.positions += self.operator.mutation_positions(node)
        return node


def faults(source: str, most: int, rng: random.Random) -> list[str]:
    """Draws faulty versions of a source, no two of one kind at one place."""
    names = [name for name in operator_names() if not any(each in name for each in _LEFT_OUT)]
    operators = [RemoveStatement(), *(get_operator(name)() for name in names)]
    found = []
    for operator in operators:
        sites = _Sites(operator)
        sites.walk(get_ast(source))
        found += [(operator, number, at) for number, at in enumerate(sites.positions)]
    rng.shuffle(found)
    drawn = {(at, type(one).__name__[:12]): (one, number) for one, number, at in found}
    versions = (mutate_code(source, *choice) for choice in drawn.values())
    return [each for each in versions if not _is_same(source, each) and _compiles(each)][:most]


def _compiles(version: str) -> bool:
    try:
        compile(version, "", "exec")
    except SyntaxError:
        return False
    return True


def _is_same(source: str, version: str) -> bool:
    """Whether nothing changed, or only a guard against slips in code that is not written yet."""
    changed = set(version.splitlines()) ^ set(source.splitlines())
    return all("@dataclass" in line or "strict=" in line for line in changed)


class _Faulty(importlib.machinery.SourceFileLoader):
    """Loads a module from a text instead of its file."""

    text = ""

    def get_code(self, _: str) -> Any:
        return compile(self.text, self.path, "exec")


def run_tests(file: str, text: str, tests: Sequence[str]) -> int:
    """Runs the tests on a version of a module; for a process that ends thereafter."""
    name = file.removesuffix(".py").replace("/", ".")
    loader = _Faulty(name, str(Path(file).resolve()))
    loader.text = text

    class Finder:
        @staticmethod
        def find_spec(wanted: str, *_: object) -> importlib.machinery.ModuleSpec | None:
            return importlib.util.spec_from_loader(name, loader) if wanted == name else None

    sys.meta_path.insert(0, Finder)
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    signal.alarm(3 * _SECONDS)  # where it waits; other processes may be slowing it down
    paths = [f"{UNIT}/{test}" if test.endswith(".py") else test for test in tests]
    return int(pytest.main([*_FAST.split(), *paths]))


def forked(file: str, text: str, tests: Sequence[str], modules: Path) -> int:
    """The exit status of the tests in a process of their own; it writes what it imported."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    status = 1
    with contextlib.suppress(BaseException), contextlib.redirect_stdout(io.StringIO()):
        status = run_tests(file, text, tests)
        modules.write_text(json.dumps([n for n, m in sys.modules.items() if _is_library(n, m)]))
    os._exit(status)


def _is_library(name: str, module: ModuleType) -> bool:
    file = getattr(module, "__file__", None) or ""
    return "site-packages" in file and name.split(".")[0] not in _OWN


def main() -> None:
    """Prints the faults that no test caught, and how many there were."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--most", type=int, default=60, help="faults of a module")
    parser.add_argument("modules", nargs="*", default=list(ROOMS))
    options = parser.parse_args()
    modules = Path(f"/tmp/mutants-{os.getpid()}.json")
    made = missed = 0
    for file in options.modules:
        source = Path(file).read_text()
        if forked(file, source, ROOMS[file], modules):
            sys.exit(f"The tests of {file} fail without a fault")
        for name in json.loads(modules.read_text()):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        versions = faults(source, options.most, random.Random(0))
        survivors = [each for each in versions if not forked(file, each, ROOMS[file], modules)]
        made, missed = made + len(versions), missed + len(survivors)
        print(f"== {file}: {len(survivors)} of {len(versions)} survived", flush=True)
        for each in survivors:
            lines = list(unified_diff(source.splitlines(), each.splitlines(), n=0, lineterm=""))[2:]
            print("\n".join(lines), flush=True)
    print(f"{missed} of {made} faults survived: {missed / made:.1%}")
    modules.unlink()


if __name__ == "__main__":
    main()
