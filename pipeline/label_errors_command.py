"""`graft labels --errors`: a manifest of the data, to correct labels in."""

import csv
import io
import json
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from components.artifact_names import LABEL_ERRORS_FILE, REPLAYED_FOLDER
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.named_files import file_of_name, images_folder
from components.example_gen.sources.one_label import RefusedError, joined_labels, label_of
from components.label_check.label_errors_file import FoundLabelErrors, read_label_errors
from models.data import example_schema
from models.errors import BadDataError, UsageError
from pipeline.config import Config
from pipeline.config_file import load_recorded_config
from pipeline.output_file import write_output
from pipeline.run_folder import CONFIG
from pipeline.terminal.quiet import import_tensorflow
from pipeline.workspace import Workspace

FILE_NAME: Final = "labels-to-correct.csv"
_COLUMNS: Final = (
    *("path", "label", "split"),
    *("looks_wrong", "suggested", "suggested_probability", "label_probability"),
)
_GROUP: Final = "group"
_OF_THE_SOURCE: Final = (
    *("spans", "encoding", "columns", "images", "ignore", "layout", "class_pattern"),
)
"""Keys of `data` that say how the run's source was read: what is written is read without them."""
_SHOWN: Final = 10
_FEW: Final = 3


def write_manifest(config: Config, output: Path | None) -> int:
    """Writes all images of the latest run that weighed labels, the most doubtful first.

    Args:
        config: names the workspace.
        output: CSV file; None for the usual one in the workspace.

    Raises:
        UsageError: no run weighed labels, its images are gone or are no files, or the file is there
            already.
        GraftError: the file cannot be written.
    """
    workspace = Workspace.of(config)
    file = output or workspace.root / FILE_NAME
    if file.exists():
        raise UsageError(
            f"{file} is there already, perhaps with corrections: name another with --output FILE."
        )
    folder, found = _latest(workspace)
    ran = load_recorded_config(folder / CONFIG, {})
    rows, lost, columns = _rows(workspace.artifacts / found.examples, found, ran, folder.name)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    write_output(file, text.getvalue().encode())
    for each in [each for each in found.doubtful if each.is_suspect][:_SHOWN]:
        print(f"  {each.label!r} looks like {each.suggested!r}: {each.name}")
    replayed = [name for name in lost if ran.data.replay and name.startswith(REPLAYED_FOLDER)]
    _tell_lost(
        replayed,
        "it has them by data.replay from the last blessed model's data: correct them where that "
        "lies, and go on with data.replay",
    )
    _tell_lost(
        [name for name in lost if name not in set(replayed)],
        "no file is there by these names: they are records, were moved, or have names that are "
        "not UTF-8",
    )
    for label, count in _not_read_back([row["label"] for row in rows]).items():
        print(
            f"A manifest cannot say the class {label!r}, which stands for no label or for several "
            f"there: `graft run` would refuse its {count:,} images. Give the class another name in "
            "the column label."
        )
    print(f"Run {folder.name}: {found.words}.")
    print(
        f"{len(rows):,} images, the most doubtful first: {file}. Correct its column label, or "
        "delete the row of an image that is of no class; then, with the settings of that run: "
        f"{_next_run(folder / CONFIG, ran.data, file, _GROUP if _GROUP in columns else '')}"
    )
    return 0


def _next_run(settings: Path, ran: IngestSettings, file: Path, group: str) -> str:
    """The line that runs on a manifest with all else as it was in a run."""
    manifest = IngestSettings(group=group).model_dump(mode="json")
    was = ran.model_dump(mode="json")
    words = ["graft", "run", "--config", str(settings), "--data", str(file)]
    for key in (*_OF_THE_SOURCE, _GROUP):
        if manifest[key] != was[key]:
            words += ["--set", f"data.{key}={json.dumps(manifest[key])}"]
    return shlex.join(words)


def _tell_lost(names: Sequence[str], why: str) -> None:
    if names:
        few = f"{', '.join(map(repr, names[:_FEW]))}{', …' if len(names) > _FEW else ''}"
        print(f"Images of the run that are not in it: {len(names):,} ({few}), as {why}.")


def _latest(workspace: Workspace) -> tuple[Path, FoundLabelErrors]:
    """The folder of the latest run that weighed labels, and what it found."""
    weighed = [each for each in workspace.run_folders() if (each / LABEL_ERRORS_FILE).is_file()]
    if not weighed:
        raise UsageError(
            f"No run in {workspace.root} has weighed labels yet: graft run --data DIR does, unless "
            "training.label_errors is keep and validation.label_errors is ignore."
        )
    try:
        return weighed[-1], read_label_errors(weighed[-1])
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{weighed[-1] / LABEL_ERRORS_FILE} cannot be read ({error}). Run again."
        ) from None


def _rows(
    examples: Path, found: FoundLabelErrors, ran: Config, run: str
) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """A row for each image that is a file, names of the others, and those of the columns."""
    if not examples.is_dir():
        raise UsageError(f"The images of run {run} are no longer in the workspace. Run again.")
    own = list(ran.columns)
    # Once, before what brings it along with its greeting.
    import_tensorflow()
    images = {row["name"]: row for row in _images(examples, own)}
    for each in found.doubtful:
        images[each.name] |= {
            "looks_wrong": "yes" if each.is_suspect else "",
            "suggested": each.suggested,
            "suggested_probability": f"{each.suggested_probability:.3f}",
            "label_probability": f"{each.label_probability:.3f}",
        }
    order = dict.fromkeys([each.name for each in found.doubtful] + list(images))
    places = _places(ran, run)
    rows: list[dict[str, Any]] = []
    lost: list[str] = []
    for name in order:
        span = next((span for span in places if name.startswith(span)), None)
        path = "" if span is None else file_of_name(places[span], name.removeprefix(span), ran.data)
        if path:
            rows.append({**images[name], "path": path})
        else:
            lost.append(name)
    if not rows:
        raise UsageError(
            f"No image of run {run} is a file of its own below {ran.data.path}: they are records "
            "of TFRecord files, or were moved. Correct the records that the report names."
        )
    has_groups = any(row[_GROUP] for row in rows)
    columns = [*_COLUMNS, *([_GROUP] if has_groups else []), *own]
    return [{key: row.get(key, "") for key in columns} for row in rows], lost, columns


def _not_read_back(labels: Sequence[str]) -> Counter[str]:
    """Images of each class whose name, which a folder may have, no manifest can say."""
    counts = Counter(labels)
    joined = joined_labels(counts)
    return Counter({label: counts[label] for label in counts if label in joined or _is_odd(label)})


def _is_odd(label: str) -> bool:
    try:
        return label_of(label) != label
    except RefusedError:
        return True


def _images(examples: Path, own: list[str]) -> Iterator[dict[str, Any]]:
    from models.data.example_reader import derived_features

    features = {column: example_schema.slice_feature(column) for column in own}
    for split in example_schema.SPLITS:
        columns = derived_features(str(examples), split, features.values())
        for row, name in enumerate(columns[example_schema.NAME]):
            yield {
                **{column: columns[feature][row] for column, feature in features.items()},
                "name": str(name),
                "label": columns[example_schema.LABEL][row],
                "split": split,
                _GROUP: columns[example_schema.GROUP][row],
            }


def _places(ran: Config, run: str) -> dict[str, Path]:
    """What the names of the images begin with, and the folder that the rest is relative to."""
    from components.example_gen.sources.listing import resolve

    try:
        locations = resolve(ran.data.path, ran.data.spans)
    except BadDataError as error:
        raise UsageError(f"The data of run {run} cannot be found: {error}") from None
    places = [images_folder(each.path, ran.data) for each in locations]
    if len(places) == 1:
        return {"": places[0]}
    return {f"{each.name}/": place for each, place in zip(locations, places, strict=True)}
