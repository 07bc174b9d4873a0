"""`graft export --format backbone`: the fine-tuned backbone, for other runs to begin from."""

import os
import shlex
from pathlib import Path

from models.errors import UsageError
from pipeline.failure import writing_to
from pipeline.pushed_lineage import lineage_of
from pipeline.served_model import Served
from pipeline.terminal.quiet import output_to
from pipeline.workspace import Workspace


def export_backbone(model: Served, workspace: Workspace, folder: Path | None) -> int:
    """Writes the backbone of the pushed version with its lineage and licence.

    Args:
        model: the pushed model.
        workspace: of the run that pushed it.
        folder: for the file; None for `backbones` in the workspace.

    Returns:
        The exit code.

    Raises:
        UsageError: the training left the backbone as it was, or the folder cannot be written.
        GraftError: the run's artifacts are not there any more.
    """
    version = model.newest
    lineage = lineage_of(version, workspace)
    name = f"{model.name} version {version.name}"
    file = (folder or workspace.root / "backbones") / f"{model.name}-{version.name}.weights.h5"
    with output_to(Path(os.devnull)):
        # Imported here: it brings TensorFlow, which greets whoever imports it.
        from components.trained_backbone import write_trained_backbone

        with writing_to(file.parent, "Name another folder with --out"):
            record = write_trained_backbone(
                lineage.model, lineage.examples, file, name=name, run=lineage.run
            )
    if record is None:
        raise UsageError(
            f"{name} is a head on the backbone that its training began with: there is no other "
            "backbone to write. Where more images promise that fine-tuning wins, run again with "
            "--strategy fine_tune."
        )
    print(f"{record.backbone} at {record.image_size} px, fine-tuned on {record.links[-1]}:")
    print(file)
    flags = ["--backbone", record.backbone, "--image-size", str(record.image_size)]
    flags += ["--weights", str(file)]
    print(f"Another run begins from it by: graft run --data DIR {shlex.join(flags)}")
    return 0
