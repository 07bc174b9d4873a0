"""`graft export`: the pushed model for other engines, and how it does there."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from components.artifact_names import KERAS_FILE
from models.data import example_schema
from models.number_text import interval_text
from models.storage.atomic_write import write_atomically
from models.storage.seals import DESCRIPTION
from pipeline.failure import writing_to
from pipeline.pushed_lineage import Lineage, lineage_of
from pipeline.report.environment import environment
from pipeline.served_model import Served
from pipeline.terminal.quiet import output_to
from pipeline.workspace import Workspace

if TYPE_CHECKING:  # they bring TensorFlow, which is imported in silence
    from models.edge.edge_export import EdgeModel, EdgeSource

Format = Literal["litert", "onnx"]
FIGURES: Final = "edge.json"
PAGE: Final = "edge.html"
LOG: Final = "log.txt"


def export(
    model: Served, workspace: Workspace, form: Format, folder: Path | None, calibrate_on: int
) -> int:
    """Writes the pushed version in another format with its figures, and prints these.

    Args:
        model: the pushed model.
        workspace: of the run that pushed it.
        form: LiteRT gives two models, float32 and int8.
        folder: for the files; None for `edge/<model>-<version>-<format>` in the workspace.
        calibrate_on: most training images to calibrate int8 with.

    Returns:
        The exit code.

    Raises:
        UsageError: packages for the format are missing, or the folder cannot be written.
        GraftError: the run's artifacts are not there any more, or the format cannot express the
            model.
    """
    version = model.newest
    lineage = lineage_of(version, workspace)
    folder = folder or workspace.root / "edge" / f"{model.name}-{version.name}-{form}"
    with writing_to(folder, "Name another folder with --out"):
        folder.mkdir(parents=True, exist_ok=True)
        with output_to(folder / LOG) as terminal:
            models, figures = _export(model, lineage, form, calibrate_on, terminal)
        for each in models:
            write_atomically(folder / each.file, each.content)
        text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
        write_atomically(folder / FIGURES, text.encode())
        page = environment().get_template("edge.html.j2").render(told=figures)
        write_atomically(folder / PAGE, page.encode())
    _print(figures, folder)
    return 0


def _export(
    model: Served, lineage: Lineage, form: Format, calibrate_on: int, terminal: TextIO
) -> "tuple[list[EdgeModel], dict[str, Any]]":
    """What was made, and the content of `edge.json`."""
    # Imported here: they bring TensorFlow, whose words belong in the log.
    from components.exported_models.exported_model import ExportedModel
    from components.judge.predicting import predict_split
    from models.edge import onnx_model
    from models.edge.edge_export import export_litert, export_onnx
    from models.intervals import share_interval

    if form == "onnx":
        onnx_model.check_packages()
    print("Asking the served model about the test split", file=terminal)
    served_model = ExportedModel(str(lineage.model))
    answers = predict_split(served_model, str(lineage.examples), example_schema.TEST)
    version = model.newest
    described = json.loads((version / DESCRIPTION).read_text("utf-8"))
    source = _source(lineage, described, answers.probabilities, answers.labels)
    about = {
        "model": model.name,
        "version": int(version.name),
        "backbone": described["backbone"],
        "model_digest": described["model_digest"],
    }
    print("Exporting it, and asking what was exported", file=terminal)
    if form == "litert":
        made = export_litert(source, about, calibrate_on)
    else:
        made = export_onnx(source, about)
    hits = int(answers.right.sum())
    served = {
        "bytes": sum(each.stat().st_size for each in version.rglob("*") if each.is_file()),
        "accuracy": hits / len(answers.labels),
        "accuracy_interval": share_interval(hits, len(answers.labels)),
    }
    values = {
        **about,
        "format": form,
        "labels": described["labels"],
        "image_size": described["image_size"],
        "resize": described["resize"],
        "test_images": len(answers.labels),
        "served": served,
        "models": {each.precision: each.to_values() for each in made},
    }
    return made, values


def _source(
    lineage: Lineage, described: dict[str, Any], served: Any, truth: list[str]
) -> "EdgeSource":
    import keras

    # Their layers are known to Keras once they are imported.
    import models.backbones.registry
    import models.head.head_model  # noqa: F401
    from models.data.image_decoding import ImageSpec
    from models.edge.edge_export import EdgeSource

    return EdgeSource(
        model=keras.saving.load_model(lineage.model / KERAS_FILE, compile=False),
        examples_uri=str(lineage.examples),
        labels=tuple(described["labels"]),
        spec=ImageSpec(described["image_size"], described["resize"]),
        served=served,
        truth=truth,
    )


def _print(told: dict[str, Any], folder: Path) -> None:
    print(f"On {told['test_images']:,} test images:")
    for name, row in {"served": told["served"], **told["models"]}.items():
        accuracy = f"{row['accuracy']:.3f} {interval_text(row['accuracy_interval'])}"
        compared = _compared(row) if "drop" in row else ""
        print(f"  {name:<8} {row['bytes'] / 1e6:>7.1f} MB  accuracy {accuracy}{compared}")
    print(folder / PAGE)


def _compared(row: dict[str, Any]) -> str:
    drop, (low, high) = row["drop"]["drop"], row["drop"]["interval"]
    return (
        f", {0.0 - drop:+.3f} {interval_text((-high, -low))}; the served model's class for "
        f"{row['agreement']:.1%}; {row['milliseconds']:.1f} ms an image"
    )
