from pathlib import Path
from typing import Any

import pytest

from models.errors import UsageError
from pipeline.config import Config
from pipeline.config_file import as_yaml, commented_default, load_config


def test_commented_default_reads_back_as_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    file.write_text(commented_default(), encoding="utf-8")
    read = load_config(file, {})
    assert read.model_copy(update={"workspace": "graft-workspace"}) == Config()


def test_every_key_is_documented() -> None:
    text = commented_default()
    lines = text.splitlines()
    keys = [i for i, line in enumerate(lines) if ":" in line and not line.lstrip().startswith("#")]
    assert len(keys) > 40
    assert all(lines[i - 1].lstrip().startswith("#") for i in keys)


def test_flags_override_the_file(tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    file.write_text("tuning: {trials: 7, parallel: 2}\nseed: 5\n")
    config = load_config(file, {"tuning.trials": "3"})
    assert (config.tuning.trials, config.tuning.parallel, config.seed) == (3, 2, 5)


def test_a_path_in_a_file_is_relative_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    file.write_text("data: {path: photos}\n")
    assert load_config(file, {}).data.path == str(tmp_path / "photos")
    assert load_config(file, {"data.path": "own"}).data.path == str(Path("own").absolute())
    assert load_config(file, {"data.path": "own"}).data.unlabelled == ""
    data = load_config(None, {"data.unlabelled": "others", "data.target": "there"}).data
    assert data.unlabelled == str(Path("others").absolute())
    assert data.target == str(Path("there").absolute())
    file.write_text("model: {chain: [public, more]}\n")
    chain = load_config(file, {}).model.chain
    assert chain == (str(tmp_path / "public"), str(tmp_path / "more"))


def test_the_effective_configuration_reads_back(tmp_path: Path) -> None:
    config = load_config(None, {"data.path": str(tmp_path), "tuning.budget": "20m"})
    file = tmp_path / "effective.yaml"
    file.write_text(as_yaml(config))
    assert load_config(file, {}) == config


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"tuning.trails": 3}, ["tuning.trails: unknown key", "trials"]),
        ({"tuning.trials": "many"}, ["tuning.trials", "a whole number", "'many'"]),
        ({"tuning.trials": 0}, ["tuning.trials", "greater than or equal to 1", "got 0"]),
        ({"tuning.budget": "soon"}, ["tuning.budget", "90s, 20m or 1.5h", "'soon'"]),
        ({"tuning.budget": "-5s"}, ["tuning.budget", "90s, 20m or 1.5h"]),
        ({"tuning.budget": -1}, ["tuning.budget", "greater than or equal to 0"]),
        ({"tuning.budget": "999h"}, ["tuning.budget", "less than or equal to"]),
        ({"tuning.budget": True}, ["tuning.budget: expected a number, not yes or no; got True"]),
        ({"training.epochs": True}, ["training.epochs: expected a number, not yes or no"]),
        ({"evaluation.min_accuracy": True}, ["evaluation.min_accuracy: expected a number"]),
        ({"limits.minutes": False}, ["limits.minutes: expected a number, not yes or no"]),
        ({"data.sample_range": [0, True]}, ["data.sample_range: expected a number, not yes"]),
        ({"model.candidates": [{"image_size": True}]}, ["candidates.0.image_size", "not yes"]),
        ({"training.epochs": "many"}, ["training.epochs: expected a whole number; got 'many'"]),
        ({"training.epochs": 1.5}, ["training.epochs: expected a whole number; got 1.5"]),
        ({"choice.price": "low"}, ["choice.price: expected a number; got 'low'"]),
        ({"data.follow_links": "maybe"}, ["data.follow_links: expected yes or no; got 'maybe'"]),
        ({"training.refit_images": 10**23}, ["training.refit_images", "at most 64 bits"]),
        ({"data.max_pixels": 10**18}, ["data.max_pixels", "less than or equal to 10000000000"]),
        ({"training.batch_size": 10**18}, ["training.batch_size", "less than or equal to 65536"]),
        ({"data.sample_range": [-1e308, 1e308]}, ["data.sample_range", "two finite numbers"]),
        ({"limits.minutes": 1e12}, ["limits.minutes", "less than or equal to 527040"]),
        ({"tuning.parallel": 0}, ["tuning.parallel", "greater than or equal to 1", "got 0"]),
        ({"tuning.serve": "8600"}, ["tuning.serve", "HOST:PORT, such as", "'8600'"]),
        ({"tuning.serve": "fd00::1:8600"}, ["tuning.serve", "HOST:PORT, such as"]),
        ({"tuning.serve": "host:0"}, ["tuning.serve", "a port from 1 to 65535"]),
        ({"tuning.serve": "host:65536"}, ["tuning.serve", "a port from 1 to 65535"]),
        ({"tuning.serve": "10.0.0.1:8600"}, ["tuning.serve_secret", "a file with a secret"]),
        ({"tuning.serve": "0.0.0.0:8600"}, ["tuning.serve", "workers reach this machine"]),
        ({"training.strategy": "magic"}, ["training.strategy", "'fine_tune'", "'magic'"]),
        ({"seed.of": 1}, ["seed"]),
        ({"training": "fast"}, ["training: expected keys and values", "'fast'"]),
        ({"serving.model_name": 7}, ["serving.model_name: expected text, in quotes", "got 7"]),
        ({"metadata.uri": None}, ["metadata.uri: expected text", "got nothing. An empty", "''"]),
        ({"data.ignore": None}, ["data.ignore: expected a list", "got nothing."]),
        ({"workspace": ""}, ["workspace: expected a folder"]),
        ({"data.path": "~no-such-user/a"}, ["there is no user ~no-such-user", "give ./~no-such"]),
        ({"model.candidates": [{"sise": 3}]}, ["model.candidates.0.sise: unknown", "image_size"]),
        ({"model.candidates": [{}, {"image_size": 8}]}, ["model.candidates.1.image_size", "32"]),
        ({"model.candidates": "EfficientNetLite0"}, ["model.candidates", "a list, such as [a, b]"]),
        ({"choice.price": -0.1}, ["choice.price", "greater than or equal to 0"]),
        ({"serving.model_name": "a/b"}, ["serving.model_name", "'a/b'"]),
        ({"serving.model_name": ".."}, ["serving.model_name", "'..'"]),
        ({"tuning.tials": 3}, ["Did you mean tuning.trials?"]),
        ({"tuning.SERVE": 3}, ["Did you mean tuning.serve?"]),
        ({"trials": 3}, ["trials: unknown key", "Did you mean tuning.trials?"]),
        ({"training.strategy": "finetune"}, ["Did you mean fine_tune?"]),
        ({"validation.unseen_class": "Warning"}, ["Did you mean warning?"]),
        ({"training.learning_rate": float("inf")}, ["training.learning_rate", "finite"]),
        ({"evaluation.min_accuracy": float("nan")}, ["evaluation.min_accuracy"]),
        ({"data.path": "a\0b"}, ["data.path", "NUL"]),
        ({"data.group": "(" * 5000}, ["data.group", "neither"]),
        ({"data.group": "a{99999999999999999999}"}, ["data.group", "neither"]),
        ({"knowledge.paths": ["a\0b"]}, ["knowledge.paths", "NUL"]),
        ({"training.devices": "two"}, ["training.devices", "'all'", "'two'"]),
        ({"beam.workers": ["north"]}, ["beam.workers", "HOST:PORT, such as"]),
        ({"beam.workers": [""]}, ["beam.workers", "HOST:PORT for each"]),
        ({"beam.workers": ["north:1", "north:1"]}, ["beam.workers", "each worker pool once"]),
        ({"beam.args": ["runner"]}, ["beam.args", "begin with --"]),
        (
            {"beam.workers": ["north:1"], "beam.args": ["--runner=FlinkRunner"]},
            ["beam.args", "no runner of its own beside beam.workers"],
        ),
    ],
)
def test_an_error_names_key_expected_and_got(
    overrides: dict[str, object], words: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(None, overrides)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "-x",
        "a.",
        "a b",
        "a/b",
        "a:b",
        "ä",
        "a\n",
        "con",
        "NUL.x",
        "a" * 101,
    ],
)
def test_a_model_name_that_is_no_folder_or_part_of_a_url_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"serving\.model_name: expected 1 to 100 of the letters"):
        load_config(None, {"serving.model_name": name})


@pytest.mark.parametrize("name", ["graft", "a", "3", "_x", "My-model_2.1", "a" * 100, "console"])
def test_a_model_name_may_be(name: str) -> None:
    assert load_config(None, {"serving.model_name": name}).serving.model_name == name


@pytest.mark.parametrize("address", ["", "host:8600", "10.0.0.1:1", "[fd00::1]:65535"])
def test_a_search_is_served_at_an_address(address: str) -> None:
    found = load_config(None, {"tuning.serve": address, "tuning.serve_secret": "secret"})
    assert found.tuning.serve == address
    assert found.tuning.serve_secret == str(Path("secret").absolute())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "[::1]", "localhost"])
def test_a_search_on_one_machine_needs_no_secret(host: str) -> None:
    assert load_config(None, {"tuning.serve": f"{host}:8600"}).tuning.serve_secret == ""


def test_what_a_candidate_leaves_out_is_as_in_model(tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    file.write_text(
        "model: {backbone: ResNet50, image_size: 128,\n"
        "        candidates: [{}, {image_size: 96}, {backbone: MobileNetV2, weights: none}]}\n"
    )
    config = load_config(file, {"model.image_size": 160})
    assert config.model.asked_candidates == [
        {"backbone": "ResNet50", "weights": "imagenet", "image_size": 160},
        {"backbone": "ResNet50", "weights": "imagenet", "image_size": 96},
        {"backbone": "MobileNetV2", "weights": "none", "image_size": 160},
    ]
    assert [str(each) for each in config.model.resolved_candidates] == [
        "ResNet50 at 160 px",
        "ResNet50 at 96 px",
        "MobileNetV2 at 160 px with weights none",
    ]
    file.write_text(as_yaml(config))
    assert load_config(file, {}) == config


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (
            {},
            [
                *("EfficientNetLite0 at 224 px", "EfficientNetLite0 at 160 px"),
                *("EfficientNetLite1 at 240 px", "EfficientNetLite1 at 160 px"),
                *("EfficientNetLite2 at 260 px", "EfficientNetLite2 at 160 px"),
            ],
        ),
        ({"candidates": []}, ["EfficientNetLite0 at 224 px"]),
        ({"image_size": 96}, ["EfficientNetLite0 at 96 px"]),
        ({"backbone": "MobileNetV2"}, ["MobileNetV2 at 224 px"]),
        ({"candidates": [{}, {"image_size": 224}]}, ["EfficientNetLite0 at 224 px"]),
    ],
)
def test_who_asks_for_nothing_gets_the_usual_candidates(
    model: dict[str, Any], names: list[str]
) -> None:
    config = Config.model_validate({"model": model})
    assert [str(each) for each in config.model.resolved_candidates] == names


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("20m", 1200.0), ("1.5h", 5400.0), (45, 45.0), ("0s", 0.0)]
)
def test_a_budget_is_a_time(text: str | int, seconds: float) -> None:
    assert load_config(None, {"tuning.budget": text}).tuning.budget == seconds


@pytest.mark.parametrize(
    "text",
    ["- a\n- b\n", "a: [", "just words", "a: " + "[" * 5000, "a: 1\0", "# " + "x" * 1_000_000],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "graft.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"graft\.yaml"):
        load_config(file, {})


def test_a_section_without_keys_has_its_defaults(tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    file.write_text("training:\n  # epochs: 3\nlimits: ~\nseed: 5\n")
    assert load_config(file, {"training.epochs": 4}) == load_config(
        None, {"seed": 5, "training.epochs": 4}
    )
    file.write_text("trainning:\n")
    with pytest.raises(UsageError, match=r"trainning: unknown key\. Did you mean training"):
        load_config(file, {})


def test_a_dotted_key_in_a_file_is_told_how_it_is_written_there(tmp_path: Path) -> None:
    file = tmp_path / "graft.yaml"
    file.write_text("training.epochs: 3\n")
    with pytest.raises(UsageError, match=r"training.epochs: write it as `training: {epochs: …}`"):
        load_config(file, {})


def test_a_path_that_is_too_long_for_any_file_system_can_be_asked_for() -> None:
    assert load_config(None, {"data.path": "p" * 5000}).data.path.endswith("/" + "p" * 5000)


def test_a_message_stays_short_whatever_the_value(tmp_path: Path) -> None:
    layers = "".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9)}]\n" for n in range(1, 12))
    file = tmp_path / "graft.yaml"
    file.write_text(f"k0: &k0 [x]\n{layers}seed: *k11\n")
    with pytest.raises(UsageError, match="more than 10,000 values"):
        load_config(file, {})
    with pytest.raises(UsageError, match="seed: expected") as refused:
        load_config(None, {"seed": "9" * 100_000})
    assert len(str(refused.value)) < 1_000


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="graft init"):
        load_config(tmp_path / "none.yaml", {})


def test_the_configuration_is_frozen() -> None:
    with pytest.raises(Exception, match="frozen"):
        Config().seed = 3  # type: ignore[misc]


def test_data_whose_path_is_no_text_is_reached_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    data = tmp_path / "latin\udce9"
    data.mkdir()
    (data / "list.csv").touch()
    for path in (data, data / "list.csv"):
        link = load_config(None, {"data.path": str(path)}).data.path
        assert Path(link).samefile(path)
        assert Path(link).suffix == path.suffix
        link.encode()
    with pytest.raises(UsageError, match="not UTF-8"):
        load_config(None, {"workspace": str(data)})


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("model.weights", "`aws s3 cp URI FILE`"),
        ("validation.schema_path", "mount the bucket"),
        ("tuning.serve_secret", "mount the bucket"),
        ("notifications.template", "mount the bucket"),
        ("workspace", "has no locks"),
        ("serving.directory", "serving.publish"),
    ],
)
def test_a_bucket_in_the_place_of_a_folder_is_refused_with_what_to_do(key: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_config(None, {key: "s3://bucket/photos"})
    told = str(refused.value)
    assert f"{key}: expected a path of this machine; got s3://bucket/photos" in told
    assert words in told


@pytest.mark.parametrize(
    "value", ["models", "/srv/models", "s3://bucket", "s3://bucket/", "s3:/b/a"]
)
def test_versions_are_published_to_a_folder_of_a_bucket(value: str) -> None:
    with pytest.raises(UsageError, match=r"serving.publish: expected a folder in a bucket"):
        load_config(None, {"serving.publish": value})
    config = load_config(None, {"serving.publish": "s3://bucket/models/graft/"})
    assert config.serving.publish == "s3://bucket/models/graft"


def test_the_columns_that_travel_are_those_of_both_keys_once(tmp_path: Path) -> None:
    keys = {"data.further_labels": [" State ", "site"], "evaluation.slices": ["site", "camera"]}
    config = load_config(None, keys)
    assert config.data.further_labels == ("state", "site")
    assert config.columns == ("site", "camera", "state")


@pytest.mark.parametrize(
    ("keys", "begins"),
    [
        ({}, "known_champion"),
        ({"tuning.budget": 0}, "known_champion"),
        ({"tuning.budget": "5m"}, "pretrained"),
        ({"training.start": "pretrained"}, "pretrained"),
        ({"training.strategy": "fine_tune"}, "pretrained"),
        ({"training.strategy": "feature_extraction"}, "pretrained"),
        ({"data.unlabelled": "/more"}, "pretrained"),
        ({"data.target": "/other"}, "pretrained"),
        ({"model.chain": ["/public"]}, "pretrained"),
        ({"training.start": "champion"}, "champion"),
        ({"data.replay": 20}, "champion"),
        ({"data.replay": 20, "training.start": "pretrained"}, "pretrained"),
        ({"data.replay": 20, "tuning.budget": "5m"}, "pretrained"),
        ({"data.replay": 20, "tuning.budget": 0}, "champion"),
        ({"data.replay": 20, "model.chain": ["/public"]}, "pretrained"),
    ],
)
def test_a_training_begins_from_the_champion_where_that_was_measured_to_help(
    keys: dict[str, object], begins: str
) -> None:
    assert load_config(None, keys).begins_from == begins
