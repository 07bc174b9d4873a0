"""A push that is killed: whole or absent."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from model_folders import contents, model_folder

from components.pusher.push import push_model, pushed_versions

_PUSH = "import sys, pathlib; from components.pusher.push import push_model as p;"
_PUSH += " p(*map(pathlib.Path, sys.argv[1:]))"


def test_killed_pushes_leave_no_half_version(tmp_path: Path) -> None:
    model = model_folder(tmp_path / "a", "one", files=150, size=200_000)
    serving = tmp_path / "serving"
    moment = random.Random(0)
    for _ in range(8):
        push = subprocess.Popen([sys.executable, "-c", _PUSH, str(model), str(serving)])
        while push.poll() is None and not list(serving.glob(".push-*/*")):
            time.sleep(0.002)
        time.sleep(moment.uniform(0.0, 0.1))
        push.send_signal(signal.SIGKILL)
        push.wait()
        for version in pushed_versions(serving).values():
            assert contents(version) == contents(model)
    assert push_model(model, serving).version == 1
    assert [path.name for path in serving.iterdir()] == ["1"]
