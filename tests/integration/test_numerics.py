"""All processes of a run round alike: the command settles it before TensorFlow is imported."""

import os
import subprocess
import sys

import pytest

_SETTING = "TF_ENABLE_ONEDNN_OPTS"
_HELP = "import contextlib, pipeline.cli\nwith contextlib.suppress(SystemExit):\n"
_COMMAND = f"{_HELP}    pipeline.cli.main(['--help'])"
_ROOMS = "import components, models, pipeline, pipeline.cli, serving"


def look(code: str, **environment: str) -> str:
    """The setting in a new process after some code, and whether TensorFlow is in."""
    inherited = {name: value for name, value in os.environ.items() if name != _SETTING}
    look = f"import os, sys; print(os.environ.get('{_SETTING}'), 'tensorflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{look}"],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("code", "environment", "seen"),
    [
        (_COMMAND, {}, "1 False"),
        (_COMMAND, {_SETTING: "0"}, "0 False"),
        (_ROOMS, {}, "None False"),
    ],
    ids=["the command settles it", "the user has settled it", "an import settles nothing"],
)
def test_onednn(code: str, environment: dict[str, str], seen: str) -> None:
    assert look(code, **environment) == seen
