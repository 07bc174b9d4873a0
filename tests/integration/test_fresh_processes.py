"""What only a new process can show: what it imports, and where its output goes."""

import os
import subprocess
import sys
from pathlib import Path

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
