"""What can be known of a run from its configuration alone is said before anything runs."""

import os
import socket
import sys
from pathlib import Path

import h5py
import pytest

from models.backbone_record import BackboneRecord, Link
from models.backbones.backbone_file import short_digests, write_backbone
from models.errors import UsageError
from pipeline.config_file import load_config
from pipeline.preflight import check, check_address


@pytest.fixture
def base(tmp_path: Path) -> dict[str, object]:
    """What a run needs at least."""
    (tmp_path / "data").mkdir()
    return {"data.path": str(tmp_path / "data"), "workspace": str(tmp_path / "w")}


_WITHOUT_LABELS = ("data.unlabelled", "data.target")


def _refusal(overrides: dict[str, object]) -> str:
    with pytest.raises(UsageError) as refused:
        check(load_config(None, overrides))
    return str(refused.value)


def test_what_can_run_passes(base: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "own.keras").write_bytes(b"PK\x03\x04 and so on")
    check(load_config(None, base))
    check(load_config(None, base | {"model.weights": str(tmp_path / "own.keras")}))
    share = str(tmp_path / "yet" / "to come")
    check(load_config(None, base | {"knowledge.share": share, "knowledge.paths": [share]}))
    check(load_config(None, base | {"knowledge.paths": ["memory://bucket/team"]}))
    check(load_config(None, base | {"workspace": str(tmp_path / "data" / ".hidden" / "w")}))
    (tmp_path / "others").mkdir()
    for key in _WITHOUT_LABELS:
        check(load_config(None, base | {key: str(tmp_path / "others")}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("serving.publish", "s3://bucket/models/graft"),
        ("knowledge.share", "s3://bucket/team"),
        ("knowledge.paths", ["s3://bucket/team"]),
    ],
)
def test_a_package_that_a_bucket_needs_is_asked_for(
    base: dict[str, object], monkeypatch: pytest.MonkeyPatch, key: str, value: object
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    words = _refusal(base | {key: value})
    assert f"{key}: s3://bucket/" in words
    assert "pip install 'graft[s3]'" in words


@pytest.mark.parametrize("key", ["serving.publish", "knowledge.share"])
def test_nothing_is_written_to_an_address_of_the_web(base: dict[str, object], key: str) -> None:
    words = _refusal(base | {key: "https://example.com/models"})
    assert f"{key}: expected a bucket that can be written to, such as s3://" in words


@pytest.mark.parametrize("key", _WITHOUT_LABELS)
@pytest.mark.parametrize("place", ["nowhere", "file.png"])
def test_images_without_labels_lie_in_a_folder(
    base: dict[str, object], tmp_path: Path, place: str, key: str
) -> None:
    (tmp_path / "file.png").touch()
    words = _refusal(base | {key: str(tmp_path / place)})
    assert f"{key}: expected a folder of images that can be read; {tmp_path}" in words


@pytest.mark.parametrize("key", _WITHOUT_LABELS)
@pytest.mark.parametrize(
    ("folder", "of_a_class"),
    [("extra", True), ("cats", True), ("cats/more", True), (".extra", False), ("parked", False)],
)
def test_images_without_labels_are_not_taken_for_a_class(
    base: dict[str, object], tmp_path: Path, folder: str, of_a_class: bool, key: str
) -> None:
    for name in ("cats", "dogs", "extra", "cats/more", ".extra", "parked"):
        (tmp_path / "data" / name).mkdir()
        (tmp_path / "data" / name / "1.png").touch()
    place = tmp_path / "data" / folder
    asked = base | {key: str(place), "data.ignore": ["parked"]}
    if of_a_class:
        words = _refusal(asked)
        assert f"{key}: {place} lies in the data, {tmp_path / 'data'}, where its" in words
        assert f"""--set 'data.ignore=["parked", "{folder}"]'""" in words
        asked["data.ignore"] = ["parked", folder]
    check(load_config(None, asked))


def test_images_without_labels_may_lie_beside_split_folders(
    base: dict[str, object], tmp_path: Path
) -> None:
    for name in ("train/cats", "train/dogs", "test/cats", "extra"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "1.png").touch()
    check(load_config(None, base | {"data.unlabelled": str(tmp_path / "data" / "extra")}))
    words = _refusal(base | {"data.unlabelled": str(tmp_path / "data" / "train")})
    assert "would be taken for labelled ones" in words


@pytest.mark.parametrize("key", _WITHOUT_LABELS)
def test_the_workspace_lies_not_among_images_without_labels(
    base: dict[str, object], tmp_path: Path, key: str
) -> None:
    (tmp_path / "others").mkdir()
    own = {key: str(tmp_path / "others"), "workspace": str(tmp_path / "others" / "w")}
    assert "workspace: " in _refusal(base | own)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"model.backbone": "resnet50"}, ["'resnet50'", "Did you mean ResNet50?", "Known: "]),
        ({"model.backbone": "InceptionV3", "model.image_size": 64}, ["64 x 64", "at least 75"]),
        ({"model.candidates": [{}, {"backbone": "mobilenetv2"}]}, ["candidates.1", "MobileNetV2?"]),
        ({"model.candidates": [{"weights": "imagnet"}]}, ["candidates.0", "Did you mean imagenet"]),
        ({"model.weights": "/none.keras"}, ["model.weights", "none.keras", "No such file"]),
        ({"model.weights": "{here}"}, ["model.weights", "is no file"]),
        ({"model.weights": "{here}/odd.bin"}, ["does not end in .keras, .weights.h5 or .h5"]),
        ({"model.weights": "{here}/odd.keras"}, ["odd.keras is damaged, or of another kind"]),
        ({"model.chain": ["{here}/none"]}, ["model.chain: there is nothing at", "/none"]),
        ({"model.chain": ["{here}/data"]}, ["model.chain", "is the data itself"]),
        (
            {"model.chain": ["{here}"], "model.candidates": [{}]},
            ["workspace", "lies in the data", "set model.candidates: []"],
        ),
        (
            {"model.chain": ["{here}/other"], "training.start": "champion", "tuning.budget": 0},
            ["model.chain makes weights to begin from", "Leave one of them out"],
        ),
        (
            {"training.start": "champion", "tuning.budget": 60},
            ["training.start: champion", "Leave tuning.budget out"],
        ),
        ({"data.replay": 5, "data.keep_test": False}, ["data.replay", "data.keep_test: true"]),
        ({"knowledge.paths": ["{here}/none"]}, ["knowledge.paths", "nothing at", "none"]),
        ({"workspace": "{here}/odd.bin/w"}, ["workspace", "odd.bin is none"]),
        ({"workspace": "{here}/data"}, ["workspace", "lies in the data"]),
        ({"workspace": "{here}/data/w"}, ["workspace", "lies in the data"]),
        ({"workspace": "{here}/" + "n" * 256}, ["workspace", "longer than 255 bytes"]),
        ({"serving.directory": "{here}/odd.bin"}, ["serving.directory", "odd.bin is none"]),
        ({"serving.directory": "{here}/data/s"}, ["serving.directory", "lies in the data"]),
        ({"serving.directory": "{here}"}, ["serving.directory", "holds the workspace"]),
        ({"serving.directory": "{here}/w/cache/s"}, ["serving.directory", "may delete"]),
        ({"knowledge.share": "{here}/odd.bin/team"}, ["knowledge.share", "odd.bin is none"]),
        ({"validation.schema_path": "{here}"}, ["validation.schema_path", "is a folder"]),
        ({"validation.schema_path": "{here}/odd.bin/s"}, ["validation.schema_path", "is none"]),
        ({"data.path": ""}, ["There is no data to train on", "--data DIR"]),
        ({"data.images": "{here}/odd.bin"}, ["data.images", "images of the manifest", "is none"]),
        ({"data.path": "/dev/zero"}, ["/dev/zero is a device, a pipe", "a folder with a"]),
        ({"data.path": "{here}/pipe"}, ["/pipe is a device, a pipe", "a folder with a"]),
        ({"model.chain": ["{here}/pipe"]}, ["model.chain", "is a device or a pipe"]),
        ({"validation.schema_path": "/dev/zero"}, ["validation.schema_path", "is a device"]),
        ({"notifications.template": "{here}/no"}, ["notifications.template", "/no cannot be read"]),
        ({"notifications.template": "/dev/zero"}, ["notifications.template", "is no file"]),
        ({"notifications.template": "{here}/a.j2"}, ["notifications.template", "'acuracy' is"]),
        ({"notifications.template": "{here}/b.j2"}, ["notifications.template", "filled in"]),
        ({"data.path": "{here}/no"}, ["There is nothing at", "a folder with a"]),
    ],
)
def test_what_must_fail_is_refused_with_the_key(
    base: dict[str, object], tmp_path: Path, overrides: dict[str, object], words: list[str]
) -> None:
    for name in ("odd.bin", "odd.keras"):
        (tmp_path / name).write_bytes(b"something else")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.j2").write_text("{{ acuracy }}")
    (tmp_path / "b.j2").write_text("{% if %}")
    there = {key: _placed(value, tmp_path) for key, value in overrides.items()}
    refusal = _refusal(base | there)
    for word in words:
        assert word in refusal


def test_a_backbone_of_another_kind_or_size_or_a_damaged_one_is_refused(
    base: dict[str, object], tmp_path: Path
) -> None:
    digest = {"begun_from": "0" * 64, "weights_digest": "1" * 64}
    link = Link(name="garments", data_fingerprint="f" * 64, images=9, classes=2, **digest)
    told = {"backbone": "MobileNetV2", "image_size": 96, "resize": "pad", "licence": "MIT"}
    file = tmp_path / "garments.weights.h5"
    record = BackboneRecord.model_validate(told | {"links": [link]})
    write_backbone(lambda each: h5py.File(each, "w").close(), record, short_digests([]), file)
    asked = base | {"model.weights": str(file)}
    fitting = {"model.backbone": "MobileNetV2", "model.image_size": 96, "model.resize": "pad"}
    check(load_config(None, asked | fitting))
    for key in fitting:
        refusal = _refusal(asked | {each: fitting[each] for each in fitting if each != key})
        assert (
            f"model.weights: {file} does not fit: it was fine-tuned with backbone: Mob" in refusal
        )
        assert f"the configuration has {key.partition('.')[2]}: " in refusal
    file.write_bytes(file.read_bytes()[:-500])
    assert f"{file} is damaged" in _refusal(asked | fitting)


def _placed(value: object, folder: Path) -> object:
    if isinstance(value, str):
        return value.replace("{here}", str(folder))
    return [_placed(each, folder) for each in value] if isinstance(value, list) else value


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
@pytest.mark.parametrize("key", ["workspace", "serving.directory", "validation.schema_path"])
def test_a_folder_that_cannot_be_written_is_refused(
    base: dict[str, object], tmp_path: Path, key: str
) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    refusal = _refusal(base | {key: str(tmp_path / "locked" / "deeper" / "x")})
    assert f"{key}: {tmp_path / 'locked'} cannot be written" in refusal


def test_every_problem_is_named_at_once(base: dict[str, object]) -> None:
    refusal = _refusal(
        base | {"model.backbone": "x", "model.weights": "y", "serving.directory": "/"}
    )
    for key in ("model.backbone", "model.weights", "serving.directory"):
        assert key in refusal


def test_an_address_that_is_taken_or_elsewhere_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x" * 16)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for address in (f"127.0.0.1:{port}", "192.0.2.1:8600", "no-such-host.invalid:8600"):
            config = load_config(
                None, {"tuning.serve": address, "tuning.serve_secret": str(secret)}
            )
            with pytest.raises(UsageError, match=f"tuning.serve: {address} cannot be listened at"):
                check_address(config)
    secret.unlink()
    with pytest.raises(UsageError, match="secret"):
        check_address(config)
    check_address(load_config(None, {"tuning.serve": f"127.0.0.1:{port}"}))
    check_address(load_config(None, {}))
