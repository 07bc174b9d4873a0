"""Pushes a model that both blessings allow, and says in words why it does not push another."""

import json
from pathlib import Path
from typing import Any

from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from tfx.utils import path_utils
from typing_extensions import override

from components.artifact_names import (
    PUSH_FILE,
    PUSHED_DIGEST,
    SERVING_CHECK_FILE,
    VERDICT_FILE,
)
from components.artifact_seals import EXPORT_DIGEST
from components.artifact_types import Artifacts, Params
from components.findings import CLASS_CHANGES_FILE
from components.model_card.card import Sources, gather
from components.model_card.card_settings import CardSettings
from components.model_card.render import render
from components.pusher.push import push_model
from models.errors import GraftError
from models.observation.reference import REFERENCE

DESTINATION = "pushed_destination"
"""Custom property: directory of the pushed version."""


class Executor(base_executor.BaseExecutor):
    """Writes the PushedModel artifact."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.pusher.component`.

        Raises:
            GraftError: the model is not the one that was judged and proved to serve, or the
                serving directory cannot be written.
        """
        model_blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
        infra_blessing = artifact_utils.get_single_instance(input_dict["infra_blessing"])
        refusal = _refusal(model_blessing, infra_blessing)
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        pushed.set_int_custom_property("pushed", int(refusal is None))
        if refusal is not None:
            _write(pushed, {"pushed": False, "reason": refusal})
            return
        model = artifact_utils.get_single_instance(input_dict["model"])
        push = push_model(
            Path(path_utils.serving_model_path(model.uri)),
            Path(exec_properties["directory"]).absolute(),
            _proved(model_blessing, infra_blessing),
            _companions(input_dict, model_blessing),
            _card(input_dict, exec_properties),
        )
        pushed.set_string_custom_property(DESTINATION, str(push.path))
        pushed.set_string_custom_property(PUSHED_DIGEST, push.digest)
        pushed.set_string_custom_property("pushed_version", str(push.version))
        reason = "" if push.new else "The newest version is this very model."
        result = {"version": push.version, "destination": str(push.path), "new": push.new}
        _write(pushed, {"pushed": True, "reason": reason, **result})


def _companions(input_dict: Artifacts, model_blessing: Artifact) -> list[Path]:
    """The files that travel with the model, as far as they are there."""
    made = next(iter(input_dict.get("reference", [])), None)
    files = [Path(model_blessing.uri) / CLASS_CHANGES_FILE]
    files += [Path(made.uri) / REFERENCE] if made else []
    return [file for file in files if file.exists()]


def _card(input_dict: Artifacts, exec_properties: Params) -> dict[str, bytes]:
    """The model card as files; none where the data's artifacts are not given."""
    if not input_dict.get("quarantine") or not input_dict.get("findings"):
        return {}
    model, blessing, quarantine, findings = (
        Path(artifact_utils.get_single_uri(input_dict[key]))
        for key in ("model", "model_blessing", "quarantine", "findings")
    )
    sources = Sources(model, blessing, quarantine, findings)
    said = CardSettings.from_json(exec_properties["card"])
    return render(gather(exec_properties["name"], said, sources))


def _refusal(model_blessing: Artifact, infra_blessing: Artifact) -> str | None:
    """Why the model must not be pushed, or None."""
    if not model_utils.is_model_blessed(model_blessing):
        return "The model was not blessed." + _reason(model_blessing, VERDICT_FILE)
    if not model_utils.is_infra_validated(infra_blessing):
        return "The model did not serve." + _reason(infra_blessing, SERVING_CHECK_FILE)
    return None


def _proved(model_blessing: Artifact, infra_blessing: Artifact) -> str:
    """Digest of the export that both blessings speak of.

    Raises:
        GraftError: they speak of different ones, or do not say of which.
    """
    judged, proved = (
        each.get_string_custom_property(EXPORT_DIGEST) for each in (model_blessing, infra_blessing)
    )
    if not proved or judged != proved:
        raise GraftError(
            "The model that was judged is not the one that was proved to serve: its files were "
            "changed in between. It was not pushed. The same command makes it again."
        )
    return proved


def _reason(artifact: Artifact, file_name: str) -> str:
    path = Path(artifact.uri) / file_name
    if not path.is_file():
        return ""
    return " " + str(json.loads(path.read_text(encoding="utf-8"))["reason"])


def _write(artifact: Artifact, content: dict[str, Any]) -> None:
    directory = Path(artifact.uri)
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2, ensure_ascii=False)
    (directory / PUSH_FILE).write_text(text + "\n", encoding="utf-8")
