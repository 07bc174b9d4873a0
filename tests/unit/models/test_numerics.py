"""Every process of Graft rounds alike, whichever package it enters by."""

import os
import subprocess
import sys

import pytest

_SETTING = "TF_ENABLE_ONEDNN_OPTS"
_LOOK = f"import sys, os; print(os.environ['{_SETTING}'], 'tensorflow' in sys.modules)"


def look(package: str, **environment: str) -> str:
    """The setting in a new process that imports a package first, and whether TensorFlow is in."""
    inherited = {name: value for name, value in os.environ.items() if name != _SETTING}
    return subprocess.run(
        [sys.executable, "-c", f"import {package}; {_LOOK}"],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.mark.parametrize("package", ["models", "components", "serving", "pipeline", "pipeline.cli"])
def test_a_process_computes_with_onednn_before_tensorflow_is_there(package):
    assert look(package) == "1 False"


def test_a_choice_of_the_users_own_stays():
    assert look("models", TF_ENABLE_ONEDNN_OPTS="0") == "0 False"
