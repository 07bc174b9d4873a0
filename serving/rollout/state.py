"""What is being rolled out, in a file that is whole at any moment."""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path

from models.errors import GraftError, UsageError
from models.storage.atomic_write import write_atomically


class Phase(Enum):
    """Where a rollout is. Each but the first is a way that goes on after a crash."""

    STEADY = "steady"
    STARTING = "starting"
    WATCHING = "watching"
    PROMOTING = "promoting"
    ROLLING_BACK = "rolling back"


@dataclass(frozen=True)
class Rollout:
    """The state of one model.

    Attributes:
        stable: version that answers by default.
        canary: version on trial, None between two rollouts.
        phase: where the rollout is.
        share: of the requests that the canary answers, percents.
        copies: of the REST requests that are copied and compared, percents.
        number: of the rollout; names its folder of evidence.
        reason: of the last decision, in words.
        refused: versions that were rolled back.
        is_blameless: whether the last rollout was ended for what is no fault of its canary, which
            is not refused then.
        trouble: what the gateway could not get past when it last looked, in words; empty if it goes
            on.
    """

    stable: int
    canary: int | None = None
    phase: Phase = Phase.STEADY
    share: int = 0
    copies: int = 0
    number: int = 0
    reason: str = ""
    refused: tuple[int, ...] = ()
    is_blameless: bool = False
    trouble: str = ""

    def begin(self, canary: int, share: int, copies: int) -> "Rollout":
        """A rollout of `canary` begins.

        Raises:
            UsageError: another one is under way, or the version is the stable one.
        """
        if self.phase is not Phase.STEADY:
            raise UsageError(
                f"Version {self.canary} is being rolled out. `graft promote` or `graft rollback` "
                "ends that."
            )
        if canary == self.stable:
            raise UsageError(f"Version {canary} is the stable one already.")
        return replace(
            self,
            canary=canary,
            phase=Phase.STARTING,
            share=share,
            copies=copies,
            number=self.number + 1,
            reason="",
            is_blameless=False,
        )

    def watching(self) -> "Rollout":
        """The canary answers."""
        return replace(self, phase=Phase.WATCHING)

    def noted(self, reason: str) -> "Rollout":
        """Why there is no decision yet."""
        return replace(self, reason=reason)

    def promote(self, reason: str) -> "Rollout":
        """The canary becomes the stable version.

        Raises:
            UsageError: there is no canary, or it is not loaded yet.
        """
        if self.phase is not Phase.WATCHING:
            raise UsageError(f"No canary answers that could be promoted ({self.phase.value}).")
        return replace(self, phase=Phase.PROMOTING, reason=reason)

    def roll_back(self, reason: str) -> "Rollout":
        """The canary goes.

        Raises:
            UsageError: there is no canary, or it has become the stable version.
        """
        if self.phase not in (Phase.STARTING, Phase.WATCHING):
            raise UsageError(f"There is no canary to roll back ({self.phase.value}).")
        return replace(self, phase=Phase.ROLLING_BACK, reason=reason)

    def end(self, reason: str) -> "Rollout":
        """The canary goes, and may be tried again: it was not found wanting.

        Raises:
            UsageError: as of `roll_back`.
        """
        return replace(self.roll_back(reason), is_blameless=True)

    def turn_back(self, reason: str) -> "Rollout":
        """A canary on its way to all users goes: a version does not load where all would ask it."""
        assert self.phase is Phase.PROMOTING
        return replace(self, phase=Phase.ROLLING_BACK, reason=reason)

    def settled(self) -> "Rollout":
        """What PROMOTING or ROLLING_BACK comes to."""
        assert self.canary is not None
        ended = replace(self, canary=None, phase=Phase.STEADY, share=0, copies=0)
        if self.phase is Phase.PROMOTING:
            return replace(ended, stable=self.canary)
        if self.is_blameless:
            return ended
        return replace(ended, refused=tuple({*self.refused, self.canary}))


class RolloutFile:
    """The state on disk. Commands and the gateway change it, one at a time."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder of the file `rollout.json`."""
        self.folder = folder
        self._path = folder / "rollout.json"

    def read(self) -> Rollout | None:
        """The state; None before the gateway ran for the first time.

        Raises:
            GraftError: the file is not what was written.
        """
        try:
            fields = json.loads(self._path.read_text(encoding="utf-8"))
            fields["phase"] = Phase(fields["phase"])
            fields["refused"] = tuple(fields["refused"])
            return Rollout(**fields)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise GraftError(
                f"{self._path} should hold the state of a rollout, but it cannot be read ({error})."
                " Delete it, and start `graft gateway` anew: what is served becomes the stable."
            ) from None

    def create(self, state: Rollout) -> Rollout:
        """Writes `state` if there is none yet; returns the one that is there now."""
        with self._locked():
            found = self.read()
            if found is None:
                self._write(state)
            return found or state

    def note(self, trouble: str) -> None:
        """Puts down what the gateway cannot get past; nothing where no gateway ran yet."""
        found = self.read()
        if found is not None and found.trouble != trouble:
            self.change(lambda now: replace(now, trouble=trouble))

    def change(self, step: Callable[[Rollout], Rollout]) -> Rollout:
        """Replaces the state by what `step` makes of it, and returns that.

        Raises:
            UsageError: no gateway ran yet; or `step` refuses.
        """
        with self._locked():
            found = self.read()
            if found is None:
                raise UsageError("No gateway knows this model yet. `graft gateway` starts one.")
            changed = step(found)
            if changed != found:
                self._write(changed)
            return changed

    def _write(self, state: Rollout) -> None:
        text = json.dumps({**asdict(state), "phase": state.phase.value}, indent=2)
        write_atomically(self._path, text.encode())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "rollout.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
