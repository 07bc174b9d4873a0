"""Damages files as a disk, a copy or a hand would, and tells whether a run noticed."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from graft_command import Answer
from tfx.orchestration import metadata

from components.artifact_seals import SEAL, is_whole
from models.storage.seals import DESCRIPTION, changed_file

FAULT = ("fault of Graft", "the whole story is in")


def flip(file: Path) -> None:
    """Changes one byte, in the middle; gives an empty file one."""
    content = bytearray(file.read_bytes() or b"\0")
    content[len(content) // 2] ^= 0x15
    file.write_bytes(content)


def cut(file: Path) -> None:
    """Takes the second half of a file away, and an empty file as a whole."""
    content = file.read_bytes()
    if content:
        file.write_bytes(content[: len(content) // 2])
    else:
        file.unlink()


DAMAGES: dict[str, Callable[[Path], None]] = {"flip": flip, "cut": cut}


class FinishedWorkspace:
    """A workspace after a run, which can be damaged, run again, and put back."""

    def __init__(self, root: Path, run: Callable[[], Answer]):
        self.root = root
        self.run = run
        answer = run()
        assert answer.code == 0, answer.out + answer.err
        self.summary = answer.summary
        self.description = (self.newest / DESCRIPTION).read_bytes()
        self.files = sorted(
            path.relative_to(root) for path in root.rglob("*") if path.is_file() and path.stat()
        )
        self._kept = root.with_name(f"{root.name}-kept")
        shutil.copytree(root, self._kept)

    @property
    def newest(self) -> Path:
        """Directory of the version that a server would take."""
        return max(
            (self.root / "serving" / "graft").glob("[0-9]*"), key=lambda path: int(path.name)
        )

    def unnoticed(self, files: list[Path]) -> list[str]:
        """The damages that the seal of the artifact or of the served version does not show.

        Args:
            files: of artifacts or of that version, relative to the workspace.
        """
        store = mlmd.MetadataStore(
            metadata.sqlite_metadata_connection_config(str(self.root / "metadata.sqlite"))
        )
        sealed = [each for each in store.get_artifacts() if SEAL in each.custom_properties]
        by_folder = {Path(each.uri): each for each in sealed}
        missed = []
        for file in files:
            content = (self.root / file).read_bytes()
            folder = artifact_of(file)
            for name, damage in DAMAGES.items():
                damage(self.root / file)
                if folder is None:
                    is_whole_still = changed_file(self.newest) is None
                else:
                    is_whole_still = is_whole(by_folder[self.root / folder])
                if is_whole_still:
                    missed.append(f"{name} {file}")
                (self.root / file).write_bytes(content)
        return missed

    def put_back(self) -> None:
        shutil.rmtree(self.root)
        shutil.copytree(self._kept, self.root)

    def outcome(self, damaged: Sequence[Path]) -> str:
        """Runs again and says what came of it; fails where that is wrong.

        Args:
            damaged: files, relative to the workspace.
        """
        answer = self.run()
        said = answer.out + answer.err
        assert not any(each in said for each in FAULT), said
        if answer.code != 0:
            names = [part for file in damaged for part in _names(file)]
            assert any(name in said for name in names), f"{damaged} is not named: {said}"
            return f"exit {answer.code}"
        told = answer.summary
        assert told["status"] == "pushed", said
        assert changed_file(self.newest) is None
        assert (self.newest / DESCRIPTION).read_bytes() == self.description
        assert told["data"] == self.summary["data"]
        # A model that is made again is compared with the first one, which had none before it, and
        # has forgotten nothing of what that knew.
        forgetting = told["metrics"]["forgetting"]
        assert forgetting is None or (forgetting["drop"], forgetting["lost"]) == (0.0, [])
        for figures in (told["metrics"], self.summary["metrics"]):
            for compared in ("comparisons", "forgetting"):
                figures.pop(compared, None)
        assert told["metrics"] == self.summary["metrics"]
        assert told["tuning"]["best"] == self.summary["tuning"]["best"]
        return "made again" if _is_remade(told) else "not read"


def artifact_of(file: Path) -> Path | None:
    """Folder of the artifact that a file is of (artifacts/<node>/<output key>/<execution>)."""
    parts = file.parts
    is_artifact = parts[0] == "artifacts" and len(parts) > 4 and parts[3].isdecimal()
    return Path(*parts[:4]) if is_artifact else None


def _names(file: Path) -> list[str]:
    return [file.name, *(str(parent) for parent in file.parents if len(parent.parts) > 1)]


def _is_remade(summary: dict[str, Any]) -> bool:
    return not all(stage["cached"] for stage in summary["stages"].values())


def one_of_each_kind(files: Iterable[Path]) -> list[Path]:
    """Of files whose names differ by numbers and digests alone, the last."""
    return list({re.sub(r"[0-9a-f]{16,}|[0-9]+", "*", str(file)): file for file in files}.values())


def walk(
    workspace: FinishedWorkspace, groups: Iterable[Sequence[Path]], damages: Iterable[str]
) -> dict[str, Counter[str]]:
    """Damages files, a group at a time, each group in several ways.

    Returns:
        For each damage, how often each outcome came.
    """
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in damages}
    for group in groups:
        for name, counted in outcomes.items():
            for file in group:
                DAMAGES[name](workspace.root / file)
            counted[workspace.outcome(group)] += 1
            workspace.put_back()
    return outcomes
