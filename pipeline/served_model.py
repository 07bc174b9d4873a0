"""Which model a workspace serves."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from components.pusher.push import pushed_versions
from models.data.normalisation import Range
from models.data.sample_depth import SampleRange
from models.errors import GraftError, UsageError
from models.observation.monitoring_settings import MonitoringSettings
from models.storage.seals import DESCRIPTION, SUMS, changed_file
from pipeline.config import Config
from pipeline.config_file import load_recorded_config
from pipeline.run_folder import CONFIG, read_run
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Served:
    """The pushed model.

    Attributes:
        name: in the serving API.
        directory: of its versions.
        max_pixels: images with more are refused, as at ingest.
        sample_range: of images of more than 8 bits a channel, as the newest version learned them;
            "stated" where it learned from none, "unknown" where it is not in this workspace.
        monitoring: how it is watched.
        publish: URI of the folder in object storage that gets its versions; empty for none.
        further_labels: columns that the newest version answers beside the class.
    """

    name: str
    directory: Path
    max_pixels: int
    sample_range: Range = "stated"
    monitoring: MonitoringSettings = field(default_factory=MonitoringSettings)
    publish: str = ""
    further_labels: tuple[str, ...] = ()

    @property
    def newest(self) -> Path:
        """Directory of the newest version."""
        return _newest(self.directory)

    def version(self, number: int | None) -> Path:
        """Directory of a version; None for the newest.

        Raises:
            UsageError: there is no such version.
        """
        folder = self.newest if number is None else self.directory / str(number)
        if not folder.is_dir():
            there = ", ".join(path.name for path in sorted(self.directory.glob("[0-9]*")))
            raise UsageError(f"There is no version {number} in {self.directory}: there is {there}.")
        return folder


def served(config: Config, config_named: bool) -> Served:
    """Finds the model to serve.

    Args:
        config: the effective configuration.
        config_named: the user named a configuration file; else the last run that pushed knows
            the model's name and directory better than the defaults do.

    Raises:
        UsageError: nothing was pushed yet.
        GraftError: the newest version is damaged.
    """
    if not config_named:
        config = last_pushed(Workspace.of(config)) or config
    directory = config.serving_directory
    newest = _newest(directory)
    _check_whole(newest)
    sample_range, further_labels = _said(newest)
    return Served(
        config.serving.model_name,
        directory,
        config.data.max_pixels,
        sample_range,
        config.monitoring,
        config.serving.publish,
        further_labels,
    )


def served_elsewhere(config: Config) -> Served:
    """The model of a server elsewhere, of which nothing is known here but what is configured.

    Args:
        config: the effective configuration.
    """
    return Served(
        config.serving.model_name,
        config.serving_directory,
        config.data.max_pixels,
        "unknown",
        further_labels=config.data.further_labels,
    )


def _newest(directory: Path) -> Path:
    versions = pushed_versions(directory)
    if not versions:
        raise UsageError(
            f"No model was pushed to {directory} yet. `graft run --data DIR` makes one; "
            "--workspace or --config names another place."
        )
    return versions[max(versions)]


def _said(version: Path) -> tuple[Range, tuple[str, ...]]:
    """How a version takes samples of more than 8 bits, and the further columns that it answers."""
    file = version / DESCRIPTION
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        values = said.get("sample_range")
        further = tuple(map(str, said.get("further_labels", ())))
        return SampleRange(*values) if values else "stated", further
    except FileNotFoundError:  # a model of another tool
        return "stated", ()
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{file} should be a JSON object that says how the model takes images, but it cannot "
            f"be read ({error}). Put the version back as it was, or push a model anew."
        ) from None


def _check_whole(version: Path) -> None:
    """A flipped bit in a graph may load, and answer wrongly."""
    if not (version / SUMS).is_file():  # of an earlier Graft
        return
    changed = changed_file(version)
    if changed is not None:
        raise GraftError(
            f"The served version {version} is damaged: {changed} is not what was exported. Run "
            "`graft run` again, which pushes a whole one, or delete this version."
        )


def last_pushed(workspace: Workspace) -> Config | None:
    """The configuration of the last run that pushed; None where none did.

    The workspace may have been moved since, and where its records lie the user says, no file in it
    (`pipeline.metadata_place.place_of`).
    """
    said = {"workspace": str(workspace.root), "metadata.uri": workspace.metadata_uri}
    for folder in reversed(workspace.run_folders()):
        if read_run(folder).status == "pushed":
            return load_recorded_config(folder / CONFIG, said)
    return None
