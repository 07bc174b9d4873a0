"""Servers of databases that Debian packages, each on a port of its own."""

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from free_ports import free_port

MARIADB = shutil.which("mariadbd")
POSTGRESQL = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
PASSWORD = r"not: to@b'e\told"
"""Of the user graft, and for MariaDB of careful, who may come encrypted alone."""


@dataclass
class Server:
    """One that runs.

    Attributes:
        scheme: how its addresses begin.
        port: on the own machine.
        ask: has the server do what its keeper says; tells whether it did.
        options: what a new database is made with.
    """

    scheme: str
    port: int
    ask: Callable[[str], bool]
    options: str

    def new_database(self, name: str) -> str:
        """Makes one; returns its address, password and all."""
        assert self.ask(f"CREATE DATABASE {name} {self.options}")
        return self.address(name)

    def address(self, database: str, password: str = PASSWORD) -> str:
        """Where a database is, there or not."""
        return f"{self.scheme}://graft:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"


@contextmanager
def mariadb() -> Iterator[Server]:
    """Starts MariaDB, which speaks TLS too."""
    with _folder() as folder:
        port = free_port()
        common = ["--no-defaults", f"--datadir={folder}/data", f"--user={getpass.getuser()}"]
        made = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        asks = ["mariadb", "--no-defaults", "-S", f"{folder}/s", "-u", "root", "-e"]
        server = Server("mysql", port, _asking(asks), "CHARACTER SET utf8mb4")
        listens = [f"--socket={folder}/s", f"--port={port}", "--bind-address=127.0.0.1"]
        command = [str(MARIADB), *common, *listens, f"--pid-file={folder}/pid"]
        command += _certificate(folder)
        with _running(command, server, getpass.getuser(), signal.SIGTERM):
            password = PASSWORD.replace("\\", "\\\\").replace("'", "''")
            for user, how in (("graft", ""), ("careful", " REQUIRE SSL")):
                server.ask(f"CREATE USER {user}@127.0.0.1 IDENTIFIED BY '{password}'{how}")
                server.ask(f"GRANT ALL ON *.* TO {user}@127.0.0.1")
            yield server


@contextmanager
def postgresql() -> Iterator[Server]:
    """Starts PostgreSQL, which does not run as root."""
    with _folder() as folder:
        port = free_port()
        keeper = "postgres" if os.getuid() == 0 else getpass.getuser()
        shutil.chown(folder, keeper)
        makes = [f"{POSTGRESQL}/initdb", "-D", f"{folder}/data", "--encoding=UTF8"]
        makes += ["--auth-host=scram-sha-256", "--auth-local=trust", "--username=keeper"]
        subprocess.run(makes, check=True, cwd="/", stdout=subprocess.DEVNULL, user=keeper)
        place = ["-h", str(folder), "-p", str(port), "-U", "keeper", "-d", "postgres"]
        asks = [f"{POSTGRESQL}/psql", "-X", *place, "-c"]
        server = Server("postgresql", port, _asking(asks), "OWNER graft")
        command = [f"{POSTGRESQL}/postgres", "-D", f"{folder}/data", "-p", str(port)]
        listens = ["-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
        # By SIGTERM it would wait until the last client has left.
        with _running([*command, *listens], server, keeper, signal.SIGINT):
            server.ask("CREATE USER graft PASSWORD '{}'".format(PASSWORD.replace("'", "''")))
            yield server


@contextmanager
def _folder() -> Iterator[Path]:
    # A socket's path may have a hundred letters, fewer than pytest's folders have.
    folder = Path(tempfile.mkdtemp(prefix="graft-db-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _asking(command: list[str]) -> Callable[[str], bool]:
    def ask(words: str) -> bool:
        done = subprocess.run([*command, words], check=False, capture_output=True, cwd="/")
        return done.returncode == 0

    return ask


@contextmanager
def _running(command: list[str], server: Server, user: str, ends: signal.Signals) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd="/", stdout=quiet, stderr=quiet, user=user)
    try:
        while not server.ask("SELECT 1"):
            assert process.poll() is None, f"{command} could not start"
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(ends)
        process.wait()


def _certificate(folder: Path) -> list[str]:
    """Makes one of its own signing; returns the options of a server that has it."""
    files = {"key": folder / "server.key", "cert": folder / "server.pem"}
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    command = [*request, "-keyout", str(files["key"]), "-out", str(files["cert"])]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return [f"--ssl-{what}={file}" for what, file in files.items()]
