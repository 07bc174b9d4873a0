"""`graft publish`, to fsspec's memory."""

from pathlib import Path

import pytest
from model_folders import model_folder

from components.publisher.publish import published_versions
from models.storage.seals import write_sums
from pipeline.cli import main


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Two versions were pushed."""
    for number in ("1", "2"):
        write_sums(model_folder(tmp_path / "work" / "serving" / "graft" / number, number))
    return tmp_path / "work"


def test_the_newest_version_or_another_is_published(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"memory://{tmp_path.name}/models"

    def publish(*arguments: str) -> tuple[int, str, str]:
        code = main(["publish", *arguments, "--workspace", str(workspace)])
        return code, *capsys.readouterr()

    assert publish("--to", f"{target}/") == (0, f"Published as {target}/2\n", "")
    assert publish("--to", target) == (0, f"{target}/2 is there.\n", "")
    assert publish("1", "--to", target) == (0, f"Published as {target}/1\n", "")
    assert published_versions(target) == [1, 2]
    code, _, told = publish("3", "--to", target)
    assert code == 2
    assert "There is no version 3" in told
    code, _, told = publish()
    assert code == 2
    assert "set serving.publish" in told
    code, _, told = publish("--to", "folder")
    assert code == 2
    assert "expected a folder in a bucket" in told


def test_a_configuration_says_where_to(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"memory://{tmp_path.name}/models"
    file = tmp_path / "graft.yaml"
    file.write_text(f"serving: {{publish: {target}}}\n")
    assert main(["publish", "--config", str(file), "--workspace", str(workspace)]) == 0
    assert published_versions(target) == [2]
