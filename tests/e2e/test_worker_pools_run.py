"""A whole run on two of Beam's worker pools, with all that Beam may do elsewhere."""

import socket
from pathlib import Path

import pytest
from beam_pools import two_pools
from PIL import Image, ImageOps
from ready_command import graft

pytestmark = pytest.mark.slow


def test_a_run_on_two_pools_pushes_and_says_who_did_what(
    digits_folder: Path, tmp_path: Path
) -> None:
    unlabelled = tmp_path / "unlabelled"
    unlabelled.mkdir()
    for file in sorted(digits_folder.glob("[3-5]/*.png")):
        with Image.open(file) as image:
            ImageOps.mirror(image).save(unlabelled / f"{file.parent.name}-{file.name}")
    with two_pools() as pools:
        answer = graft(
            "run", "--json", "--workspace", tmp_path / "workspace", "--data", digits_folder,
            "--image-size", "32", "--strategy", "feature_extraction",
            # So that the search is the first that embeds, and Trainer what has no label.
            "--set", "tuning.budget=5", "--set", "validation.label_errors=ignore",
            "--set", "training.label_errors=keep", "--set", f"data.unlabelled={unlabelled}",
            "--set", "evaluation.min_accuracy=0.3", "--set", f"beam.workers=[{','.join(pools)}]",
        )  # fmt: skip
    assert answer.code == 0, answer.err
    data = answer.summary["data"]
    for workers, images in ((data["workers"], 200), (data["embedded_by"], 200 + 60)):
        assert sum(workers.values()) == images
        assert all(name.startswith(socket.gethostname()) for name in workers)
    assert len(data["workers"]) == 2
    # New ones for search, embedding and training.
    assert len(data["embedded_by"]) >= 3
    assert "LabelCheck" not in answer.summary["stages"]
    assert answer.err.count("embedded by") == 3
