"""Checks, starts, reloads and stops nginx."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from models.errors import GraftError, UsageError
from models.storage.atomic_write import write_atomically
from serving.gateway.api_keys import as_maps, read_keys
from serving.gateway.nginx_config import nginx_config
from serving.gateway.settings import GatewaySettings, Traffic

_CONFIG: Final = "nginx.conf"
_KEYS: Final = "keys.conf"
_WORKER: Final = b"nginx: worker process"
_LOOK_SECONDS: Final = 0.02
_START_SECONDS: Final = 10.0
_NO_PASSWORD: Final = (
    " The key of the certificate has a password, which nobody could type at a renewal;"
    " `openssl pkey -in KEY -out NEW` writes it without one."
)


class Nginx:
    """nginx for one gateway, which goes on when this process dies; the next one finds it again.

    Where nginx's master alone is killed, its workers go on until a new one takes their place.

    Attributes:
        settings: what it serves.
        folder: holds its configuration, logs and temporary files.
    """

    def __init__(self, settings: GatewaySettings, copies_to: str, folder: Path) -> None:
        """Takes what it is to serve, who gets copies of requests, and a folder for all its files.

        Raises:
            UsageError: nginx is not installed.
        """
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            raise UsageError(
                "The gateway needs nginx (1.22 or newer), which is not on the PATH. "
                "On Debian and Ubuntu: apt-get install nginx-light"
            )
        self._program = program
        self.settings = settings
        self._copies_to = copies_to
        self.folder = folder.absolute()

    @property
    def pid(self) -> int | None:
        """Id of nginx's master process, None if none runs."""
        try:
            pid = int((self.folder / "nginx.pid").read_text(encoding="ascii"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        # The id may have gone to another process since.
        return pid if b"nginx" in command and str(self.folder).encode() in command else None

    def ensure(self) -> bool:
        """Has nginx run as it is set up; does nothing if it does.

        The configuration is checked before it replaces the one that runs. Requests that are under
        way end as they began.

        Returns:
            Whether anything had to be done.

        Raises:
            GraftError: nginx refuses the configuration, and goes on with the former one; or it
                does not start.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        text = nginx_config(self.settings, self._copies_to, self.folder).encode()
        keys = as_maps(read_keys(self.settings.keys)).encode() if self.settings.keys else b""
        same = self._content(_CONFIG) == text and self._content(_KEYS) == keys
        pid = self.pid
        if same and pid is not None:
            return False
        self._check(text, keys)
        self._write_keys(_KEYS, keys)
        write_atomically(self.folder / _CONFIG, text)
        if pid is None:
            self._end_orphans()
            self._start()
        else:
            os.kill(pid, signal.SIGHUP)
        return True

    def direct(self, traffic: Traffic) -> bool:
        """Changes the shares, for all requests that come from now on.

        nginx looks at the files of a folder for each request, so that it need not be reloaded,
        which would close connections on which a client is just about to ask. The folder is
        replaced in one step.

        Returns:
            Whether anything had to be done.
        """
        names = {f"canary-{number}" for number in range(traffic.share)}
        names |= {f"copy-{number}" for number in range(traffic.copies)}
        names |= {"trial"} if traffic.trial else set()
        # Without it nginx looks at no other, for each request of a quiet day.
        names |= {"divided"} if names else set()
        link = self.folder / "traffic"
        if link.is_dir() and {path.name for path in link.iterdir()} == names:
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="traffic-", dir=self.folder))
        for name in names:
            (folder / name).touch()
        folder.chmod(0o755)
        unfinished = self.folder / "traffic.part"
        unfinished.unlink(missing_ok=True)
        unfinished.symlink_to(folder.name)
        unfinished.replace(link)
        for former in self.folder.glob("traffic-*"):
            if former.name != folder.name:
                shutil.rmtree(former)
        return True

    def stop(self, seconds: float = 30.0) -> None:
        """Ends nginx after the requests that are under way."""
        pid = self.pid
        if pid is None:
            self._end_orphans()
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + seconds
        while self.pid is not None and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        if (left := self.pid) is not None:
            os.kill(left, signal.SIGTERM)

    def _end_orphans(self) -> None:
        """Ends workers whose master was killed, after the requests that are under way.

        They answer on, but take no other configuration, and hold the port.
        """
        ours = self.folder.resolve()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if not (process / "cmdline").read_bytes().startswith(_WORKER):
                    continue
                # No worker has the folder in its command, but its logs are open there.
                if any(file.readlink().is_relative_to(ours) for file in (process / "fd").iterdir()):
                    os.kill(int(process.name), signal.SIGQUIT)

    def _content(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def _check(self, text: bytes, keys: bytes) -> None:
        candidate = self.folder / "candidate.conf"
        candidate_keys = "candidate-keys.conf"
        self._write_keys(candidate_keys, keys)
        candidate.write_bytes(text.replace(f"/{_KEYS}".encode(), f"/{candidate_keys}".encode()))
        said = self._run("-t", candidate)
        candidate.unlink()
        (self.folder / candidate_keys).unlink()
        if said is not None:
            hint = _NO_PASSWORD if "getting password" in said else ""
            raise GraftError(f"nginx refuses the gateway's configuration.{hint} It says: {said}")

    def _write_keys(self, name: str, keys: bytes) -> None:
        unfinished = self.folder / f".{name}.part"
        unfinished.unlink(missing_ok=True)
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(keys)
        unfinished.replace(self.folder / name)

    def _start(self) -> None:
        said = self._run("-q", self.folder / _CONFIG)
        if said is not None:
            raise GraftError(f"nginx does not start. It says: {said}")
        deadline = time.monotonic() + _START_SECONDS
        while self.pid is None:
            if time.monotonic() > deadline:
                raise GraftError(f"nginx ended at once; {self.folder / 'nginx.log'} says why.")
            time.sleep(_LOOK_SECONDS)

    def _run(self, flag: str, config: Path) -> str | None:
        """What nginx complains about; None if it is content."""
        command = [self._program, flag, "-p", str(self.folder), "-c", str(config)]
        # Its own error log exists before the configuration names another one.
        command += ["-e", str(self.folder / "nginx.log")]
        with (self.folder / "nginx.said").open("w+b") as said:
            # A file, not a pipe: the daemon would hold the pipe open.
            # Without a terminal: a key with a password would be waited for there, at any reload.
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            said.seek(0)
            words = said.read().decode("utf-8", "replace")
        return " / ".join(words.strip().splitlines()[:3]) if done.returncode else None
