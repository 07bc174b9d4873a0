"""An installed Graft, beside a user's own packages that have the names of its rooms."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import graft

ROOT = Path(__file__).parents[2]
ROOMS = ("components", "models", "pipeline", "serving")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `pip install` would put among a user's packages."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's folder, in which four packages must not be imported by Graft."""
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("raise RuntimeError('taken for a room')\n")
    (tmp_path / "models" / "__init__.py").write_text("MINE = True\n")
    return tmp_path


def run_python(installed: Path, project: Path, *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": str(installed)},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_it_takes_one_name_only(installed: Path) -> None:
    assert [path.name for path in installed.iterdir()] == ["graft"]
    assert all((installed / "graft" / room / "py.typed").is_file() for room in ROOMS)


def test_no_text_names_a_module(installed: Path) -> None:
    """Imports are renamed when Graft is installed; a name in a text would not be."""
    root = installed / "graft"
    named = re.compile(rf'"((?:{"|".join(ROOMS)})\.[a-z_.]+)"')
    told = []
    for file in root.rglob("*.py"):
        for line in file.read_text("utf-8").splitlines():
            for name in named.findall(line):
                path = root.joinpath(*name.split("."))
                modules = (path.with_suffix(".py"), path.parent.with_suffix(".py"))
                is_module = path.is_dir() or any(module.exists() for module in modules)
                # That takes names from Graft's own folder on, wherever it lies.
                if is_module and "code_fingerprint(" not in line:
                    told.append(f"{file.name}: {name}")
    assert told == []


def test_its_version_is_not_the_commit_of_the_project_around_it(
    installed: Path, project: Path
) -> None:
    program = "from graft.pipeline.library_versions import versions; print(versions()['graft'])"
    subprocess.run(["git", "init", "--quiet", str(installed)], check=True)
    assert run_python(installed, project, "-c", program) == f"{graft.__version__}\n"


def test_it_works_beside_a_users_own_packages(installed: Path, project: Path) -> None:
    program = f"""
import sys, models, graft
assert models.MINE
for name in graft.__all__:
    assert getattr(graft, name).__module__.split(".")[0] == "graft", name
import graft.components.pusher.push, graft.pipeline.config
print(sorted(set(sys.modules) & set({ROOMS!r})))
"""
    assert run_python(installed, project, "-c", program) == "['models']\n"


def test_its_command_answers(installed: Path, project: Path) -> None:
    assert "graft knowledge" in run_python(installed, project, "-m", "graft", "knowledge", "-h")


def test_its_server_answers(installed: Path, project: Path) -> None:
    assert "--model_base_path" in run_python(installed, project, "-m", "graft.serving", "--help")
    program = "from graft.model_server import main; main(['--version'])"
    assert "Graft ModelServer: " in run_python(installed, project, "-c", program)


def test_its_cache_still_follows_the_code(installed: Path, project: Path) -> None:
    program = """
from graft.components.code_fingerprint import code_fingerprint
print(code_fingerprint("components.judge"))
"""
    before = run_python(installed, project, "-c", program)
    assert run_python(installed, project, "-c", program) == before
    deep = installed / "graft" / "models" / "storage" / "atomic_write.py"
    source = deep.read_text("utf-8")
    deep.write_text(source + "\n# changed\n", "utf-8")
    assert run_python(installed, project, "-c", program) != before
    deep.write_text(source, "utf-8")


@pytest.mark.slow
def test_a_whole_run_pushes(installed: Path, project: Path, digits_folder: Path) -> None:
    program = f"""
import json
from graft import run
if __name__ == "__main__":
    few = {{"tuning.trials": 2, "tuning.parallel": 2, "model.image_size": 32}}
    done = run({str(digits_folder)!r}, workspace="w", settings=few | {{"training.epochs": 1}})
    print(json.dumps([done.exit_code, done.summary["status"], done.report.exists()]))
"""
    script = project / "script.py"
    script.write_text(program)
    printed = run_python(installed, project, str(script))
    assert json.loads(printed.splitlines()[-1]) in ([0, "pushed", True], [4, "not_blessed", True])
