"""What only a new process can show: what it imports, and where its output goes."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("tensorflow", "keras", "tfx", "apache_beam", "numpy", "pydantic", "rich")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, contextlib\nfrom pipeline.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "exit codes:" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_misspelt_backbone_costs_neither_tfx_nor_a_workspace(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pipeline.cli import main\n"
        f"code = main(['run', '--data', {str(tmp_path)!r}, '--backbone', 'resnet50', "
        f"'--workspace', {str(tmp_path / 'w')!r}])\n"
        "print(code, [name for name in ('tensorflow', 'keras', 'tfx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2 []\n"
    assert "Did you mean ResNet50?" in done.stderr
    assert not os.path.lexists(tmp_path / "w")


def test_what_a_full_log_cannot_take_does_not_reach_the_terminal() -> None:
    program = (
        "import contextlib, logging, pathlib, sys\n"
        "from pipeline.terminal.quiet import output_to\n"
        "with output_to(pathlib.Path('/dev/full')) as terminal:\n"
        "    logging.getLogger('library').warning('lost')\n"
        "    with contextlib.suppress(OSError):\n"
        "        print('lost', file=sys.stderr)\n"
        "    print('shown', file=terminal)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert (done.stdout, done.stderr) == (b"", b"shown\n")


def test_a_beam_worker_can_evaluate_without_tfx() -> None:
    code = "import sys, components.evaluation.known_model\nprint('tfx.components' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr


def import_graft(folder: Path) -> subprocess.CompletedProcess[str]:
    """Imports Graft in a folder, which comes before the checkout on the path."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys, graft; print({set(HEAVY)} & set(sys.modules))"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_graft_imports_nothing_heavy(tmp_path: Path) -> None:
    done = import_graft(tmp_path)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_a_checkout_says_where_another_package_takes_the_name_of_a_room(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    done = import_graft(tmp_path)
    assert done.returncode == 1
    assert f"`models` should be {ROOT / 'models'}" in done.stderr
    assert f"Python finds {tmp_path / 'models'}" in done.stderr
    assert f"pip install {ROOT}" in done.stderr


def test_a_folder_that_is_no_package_takes_no_name(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "resnet.keras").touch()
    assert import_graft(tmp_path).returncode == 0
