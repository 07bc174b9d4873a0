"""Debian's cron runs what `graft schedule --as cron` writes, in a mount namespace of its own."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from graft_command import await_that, graft

from pipeline.config_file import load_config
from pipeline.needed.inputs import note_inputs
from pipeline.run_folder import LOG, SUMMARY
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
DEVICES = ("null", "zero", "full", "random", "urandom")

START = r"""
set -e
# No job of this machine's may run, and no mail may leave it.
mount -t tmpfs none /etc/cron.d
mount --bind /dev/null /etc/crontab
mount -t tmpfs none /var/spool/cron/crontabs
mount -t tmpfs none /run
cp "$1/crontab" /var/spool/cron/crontabs/root
chmod 600 /var/spool/cron/crontabs/root
cp /usr/sbin/cron "$1/cron"
mount --bind "$1/sbin" /usr/sbin
for device in null zero full random urandom; do mount --bind /dev/$device "$1/dev/$device"; done
mount --rbind "$1/dev" /dev
exec "$1/cron" -f -L 5
"""
"""Arguments: a folder with `crontab`, `sbin/sendmail` and an empty `dev`."""


class Cron:
    """A cron with one crontab; what it mails and what it logs."""

    def __init__(self, folder: Path, crontab: str) -> None:
        self.folder = folder
        (folder / "crontab").write_text(crontab)
        (folder / "dev").mkdir()
        for device in DEVICES:
            (folder / "dev" / device).touch()
        (folder / "sbin").mkdir()
        sendmail = folder / "sbin" / "sendmail"
        sendmail.write_text(f"#!/bin/sh\ncat >>'{folder}/mail'\n")
        sendmail.chmod(0o755)
        self._log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._log.bind(str(folder / "dev" / "log"))
        self._log.setblocking(False)
        self._said: list[str] = []
        command = ["unshare", "--mount", "sh", "-c", START, "cron", str(folder)]
        self.process = subprocess.Popen(command, start_new_session=True)

    def mail(self) -> str:
        assert self.process.poll() is None, "cron ended"
        file = self.folder / "mail"
        return file.read_text(errors="replace") if file.exists() else ""

    def log(self) -> str:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._said.append(self._log.recv(65536).decode(errors="replace"))
        return "\n".join(self._said)

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._log.close()


def may_mount() -> bool:
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/usr/sbin/cron").exists(), reason="cron is not installed"),
    pytest.mark.skipif(
        not shutil.which("unshare") or not may_mount(), reason="root, and the right to mount"
    ),
]


def line_for(folder: Path, config: Path) -> str:
    """The line that the command writes."""
    answer = graft(
        *("schedule", "--every", "* * * * *", "--as", "cron"), "--config", config, "--out", folder
    )
    assert answer.code == 0, answer.err
    return (folder / "graft.cron").read_text().splitlines()[-1]


@pytest.fixture
def cron(tmp_path: Path) -> Iterator[Cron]:
    """Each minute: a run with nothing to do, and one whose images are all broken."""
    lines = [f"PYTHONPATH={ROOT}"]
    for name in ("same", "broken 100%"):
        folder = tmp_path / name
        for label in ("cat", "dog"):
            (folder / "data" / label).mkdir(parents=True)
            (folder / "data" / label / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + label.encode())
        config = folder / "graft.yaml"
        config.write_text(f"workspace: '{folder / 'work'}'\ndata: {{path: data}}\n")
        lines.append(line_for(folder / "schedule", config))
    config = tmp_path / "same" / "graft.yaml"
    run = tmp_path / "same" / "work" / "runs" / "20260101-000000-000"
    run.mkdir(parents=True)
    note_inputs(load_config(config, {}), run)
    (run / SUMMARY).write_text('{"status": "pushed", "reason": "So it is."}')
    made = Cron(tmp_path, "\n".join(lines) + "\n")
    yield made
    made.stop()


def test_cron_runs_the_line_and_tells_how_it_ended(cron: Cron) -> None:
    await_that(lambda: "Not needed." in cron.mail(), "the run with nothing to do is mailed")
    await_that(lambda: "exit status 3" in cron.log(), "the exit code is logged")
    await_that(lambda: "No image is left" in cron.mail(), "the reason is mailed")
    (run, *_) = Workspace(cron.folder / "broken 100%" / "work").run_folders()
    told = json.loads((run / SUMMARY).read_text())
    assert told["status"] == "failed"
    assert (run / LOG).stat().st_size > 0
