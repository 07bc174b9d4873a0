"""`model.chain`: the backbone is fine-tuned on related images first.

Each link of the chain is a run of its own, up to its training, in a workspace below that of the
run. Its backbone, with lineage and licence, is what the next link, and in the end the run, begins
from. A link whose data, code and configuration did not change is not run again.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from components.artifact_names import SERVING_FOLDER
from components.example_gen.ingest_settings import IngestSettings
from models.backbone_record import read_record
from models.search.search_settings import SearchSettings
from models.storage.atomic_write import write_atomically
from models.storage.seals import DESCRIPTION, file_digest
from pipeline.config import Config
from pipeline.knowledge.history_places import data_name
from pipeline.needed.inputs import inputs_of
from pipeline.report.run_record import RunRecord
from pipeline.run_folder import LOG
from pipeline.terminal.quiet import output_to
from pipeline.workspace import Workspace

LAST_STAGE: Final = "Trainer"
"""Of a link: nothing of it is judged or pushed."""
NO_DATA_KEYS: Final = (
    "A link takes no key of the section data: where it needs one, run it by itself, with that key "
    "and a workspace of its own, write its backbone with graft export --format backbone, and name "
    "that file in model.weights in the place of model.chain. "
)
"""What to do about a link whose data are not read as they lie there."""
_KEPT: Final = "backbone.json"

RunLink = Callable[[Config], RunRecord]
"""Runs a configuration up to its training, or raises a `GraftError`."""


def after_chain(config: Config, run_link: RunLink) -> Config:
    """Trains the links of a configuration's chain.

    Args:
        config: of the run.
        run_link: trains one.

    Returns:
        The configuration without a chain, with the last link's backbone as its weights. A link
        whose training left the backbone as it was is left out.

    Raises:
        GraftError: a link failed.
        OSError: a link's data cannot be looked at, or its backbone cannot be written.
    """
    chain, weights = config.model.chain, config.model.weights
    for number, data in enumerate(chain, 1):
        words = f"model.chain, {number} of {len(chain)}, {data}:"
        link = _link(config, number, data, weights)
        file = _backbone(link, run_link, words)
        if file is None:
            _say(f"{words} left out, as fine-tuning on it promised no more than a head alone")
        else:
            _say(f"{words} {file}")
            weights = str(file)
    return _with_weights(config, weights)


def _link(config: Config, number: int, data: str, weights: str) -> Config:
    config = _with_weights(config, weights)
    training = {"start": "pretrained", "strategy": "fine_tune"}
    return Config(
        workspace=str(config.workspace_path / "chain" / str(number)),
        seed=config.seed,
        data=IngestSettings(path=data, max_pixels=config.data.max_pixels),
        validation=config.validation.model_copy(update={"schema_path": ""}),
        model=config.model.model_copy(update={"candidates": ()}),
        tuning=SearchSettings(budget=0),
        training=config.training.model_copy(update=training),
        limits=config.limits,
        beam=config.beam,
    )


def _with_weights(config: Config, weights: str) -> Config:
    model = config.model.model_copy(update={"weights": weights, "chain": ()})
    return config.model_copy(update={"model": model})


def _backbone(link: Config, run_link: RunLink, words: str) -> Path | None:
    """The file of a link's backbone; None where its training left it as it was."""
    workspace = Workspace.of(link)
    root = workspace.root
    inputs = asdict(inputs_of(link)) | {"weights": _content(link.model.weights)}
    try:
        kept = json.loads((root / _KEPT).read_bytes())
        file = kept["file"] and root / kept["file"]
        if kept["inputs"] == inputs and (file is None or file_digest(file) == kept["digest"]):
            return file
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not made yet, or damaged
    _say(f"{words} the backbone is fine-tuned on it")
    file = _written(run_link(link), workspace, link.data.path)
    kept = {
        "inputs": inputs,
        "file": file and file.name,
        "digest": file and file_digest(file),
    }
    write_atomically(root / _KEPT, json.dumps(kept, indent=2).encode())
    return file


def _content(weights: str) -> str:
    """Tells weights from others of the same name."""
    if not Path(weights).is_file():
        return weights
    record = read_record(weights)
    return record.links[-1].weights_digest if record else file_digest(Path(weights))


def _written(link: RunRecord, workspace: Workspace, data: str) -> Path | None:
    """Takes the backbone out of a link's model; its name follows from its weights."""
    model = Path(link.artifacts["model"])
    told = json.loads((model / SERVING_FOLDER / DESCRIPTION).read_text("utf-8"))
    file = workspace.root / f"{told['model_digest'][:16]}.weights.h5"
    with output_to(workspace.runs / link.run_id / LOG):
        # Imported here: they bring TensorFlow, whose words belong in the log.
        from components.trained_backbone import write_trained_backbone
        from pipeline.pushed_lineage import run_that_made

        run = run_that_made(model, workspace)
        examples = Path(link.artifacts["examples"])
        record = write_trained_backbone(model, examples, file, name=data_name(data), run=run)
    return file if record else None


def _say(words: str) -> None:
    print(words, file=sys.stderr)
