"""What is kept of a workspace: the section `retention`."""

from typing import Annotated

from pydantic import Field

from models.settings import Section


class RetentionSettings(Section):
    """What `graft prune` keeps, and each run once it has ended. Without a key everything stays."""

    runs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Newest runs to keep, with all that they read and wrote. Those that pushed a version which is
    kept stay too. What `graft stage` leaves counts as no run."""
    days: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """Runs of the last so many days are kept too, or alone where `runs` is empty. The newest run
    always stays."""
    versions: Annotated[int, Field(ge=2, le=100_000)] | None = None
    """Newest pushed versions to keep, here and in the bucket of serving.publish. Two at the least,
    so that one can go back; the stable one and the one on trial stay in any case."""
    cache_gigabytes: Annotated[float, Field(ge=0.0, le=1_000_000.0)] | None = None
    """Size of the caches of embeddings, activations, searches and trainings; what was used longest
    ago goes first, and is made again if it is asked for."""

    @property
    def is_set(self) -> bool:
        """Whether anything is ever taken away."""
        return self != RetentionSettings()
