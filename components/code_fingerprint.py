"""A digest of the code that a component runs, so that editing it re-runs the component.

TFX's cache key holds a component's inputs and parameters but not its code. Each component of
Graft therefore carries this digest as a parameter.
"""

import ast
import functools
import hashlib
import importlib.metadata
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_ABOVE = __name__.rpartition("components")[0]
"""What stands before the names of Graft's packages: nothing in a checkout, or "graft."."""

_OWN = ("components", "models", "serving")
_LIBRARIES = ("tensorflow", "keras", "keras-tuner", "numpy", "pillow")


@functools.cache
def code_fingerprint(*modules: str) -> str:
    """Digest over the sources of `modules` and of all Graft modules that they import.

    Args:
        *modules: dotted names of modules or packages, such as `components.trainer`; a package
            stands for all of its modules.

    Returns:
        16 hex digits. Also changes with the versions of the libraries that decide results.

    Raises:
        ModuleNotFoundError: a name is not a module of Graft.
    """
    pending = [path for module in modules for path in _sources(module)]
    seen: set[Path] = set()
    while pending:
        path = pending.pop()
        if path not in seen:
            seen.add(path)
            pending += _imports(path)
    digest = hashlib.sha256()
    for path in sorted(seen):
        digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    for library in _LIBRARIES:
        digest.update(f"{library}={importlib.metadata.version(library)}".encode())
    return digest.hexdigest()[:16]


def _sources(module: str) -> list[Path]:
    base = _ROOT.joinpath(*module.split("."))
    if base.is_dir():
        return sorted(base.rglob("*.py"))
    if base.with_suffix(".py").is_file():
        return [base.with_suffix(".py")]
    raise ModuleNotFoundError(f"{module} is not a module of Graft")


def _module_file(module: str) -> Path | None:
    base = _ROOT.joinpath(*module.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


@functools.cache
def _imports(path: Path) -> tuple[Path, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    names = [name.removeprefix(_ABOVE) for name in names]
    own = (_module_file(name) for name in names if name.split(".")[0] in _OWN)
    return tuple(path for path in own if path is not None)
