import json
from pathlib import Path

import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.class_changes import ClassChange, class_changes
from components.findings import Finding
from components.image_register import ImageRegister
from components.image_validator.anomalies import check_anomalies
from components.image_validator.class_checks import KnownClasses, check_classes
from components.image_validator.duplicate_checks import check_duplicates
from components.image_validator.quarantine_check import check_quarantine
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings
from models.data.near_duplicates import Appearance

SETTINGS = ValidationSettings()


def table(rows: list[tuple[str, str, str, str, int]]) -> ImageTable:
    """Rows of split, label, name, digest and perceptual hash."""
    split, label, name, sha256, phash = zip(*rows, strict=True)
    plain = np.full(len(rows), 0.5, np.float32)
    return ImageTable(
        split=np.array(split, object),
        label=np.array(label, object),
        name=np.array(name, object),
        sha256=np.array(sha256, object),
        group=np.full(len(rows), "", object),
        look=Appearance(np.array(phash, np.uint64), plain, plain, plain, plain),
    )


def many(split: str, label: str, count: int) -> list[tuple[str, str, str, str, int]]:
    """Images that are all different."""
    names = [f"{split}/{label}/{number}" for number in range(count)]
    seed = [ord(letter) for letter in split + label]
    hashes = np.random.default_rng(seed).integers(0, 2**63, count)
    return [(split, label, name, name, int(one)) for name, one in zip(names, hashes, strict=True)]


def known(*labels: str) -> KnownClasses:
    return KnownClasses(frozenset(labels), "/my/schema.pbtxt")


def classes_of(
    rows: ImageTable, known: KnownClasses, settings: ValidationSettings = SETTINGS
) -> list[Finding]:
    labels = known.labels or set(rows.counts)
    return check_classes(rows, known, class_changes(labels, rows.counts), settings)


def severities(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.check, finding.severity) for finding in findings]


def test_good_data_has_no_findings() -> None:
    good = table([row for split in ("train", "test") for row in many(split, "a", 9)])
    assert classes_of(good, known("a")) == []
    assert check_duplicates(good, SETTINGS) == []


def test_an_old_name_that_replay_brings_back_is_told() -> None:
    digests = [f"{number:02}" * 32 for number in range(8)]
    earlier = ImageRegister.of([(digest, "train", "one") for digest in digests])
    own = [("train", "1", f"1/{n}.png", digests[n], n * 99) for n in range(4)]
    back = [("train", "one", f"replayed/one/{n}.png", digests[n], n * 99) for n in range(4, 8)]

    def message(rows: ImageTable, **replay: bool) -> str:
        now = dict(zip(map(bytes.fromhex, rows.sha256), rows.label, strict=True))
        changes = class_changes(["one"], rows.counts, earlier, now)
        found = check_classes(rows, known("one"), changes, SETTINGS, **replay)
        return next(each.message for each in found if "is not among" in each.message)

    told = message(table(own + back), has_replayed=True)
    assert '"one" came back by data.replay alone' in told
    assert 'where "1" is another name for that, delete its line from /my/schema.pbtxt' in told
    assert "replay" not in message(table(own + back))
    kept = [("train", "one", "one/9.png", digests[7], 9)]
    assert "replay" not in message(table(own + back[:3] + kept), has_replayed=True)


def test_a_class_that_is_much_rarer_than_another() -> None:
    rows = many("train", "a", 126) + many("train", "b", 6) + many("test", "c", 1)
    found = classes_of(table(rows), known("a", "b", "c"))
    (finding,) = [each for each in found if each.check == "class_imbalance"]
    assert finding.severity == "warning"
    assert 'class "a" has 126 images to train on, class "b" 6 images: 21 times' in finding.message
    wider = SETTINGS.model_copy(update={"max_imbalance": 21.0})
    assert severities(classes_of(table(rows), known("a", "b", "c"), wider)) == [
        ("unseen_class", "error")
    ]


def test_what_to_do_about_it_is_told_apart_from_what_was_found() -> None:
    rows = many("train", "a", 4) + many("train", "b", 100) + many("test", "c", 2)
    findings = classes_of(table(rows), known("a", "b", "d"))
    assert len(findings) == 5
    for finding in findings:
        assert finding.message == f"{finding.found} {finding.mend}"
        assert finding.found.endswith(".")
        assert "`" not in finding.found
        assert " set " not in finding.found


def test_a_class_that_training_lacks() -> None:
    rows = many("train", "a", 5) + many("test", "b", 2) + many("validation", "b", 1)
    (finding,) = classes_of(table(rows), known("a", "b"))
    assert severities([finding]) == [("unseen_class", "error")]
    assert 'class "b" has 3 images in test and validation and none in train' in finding.message
    assert "validation.unseen_class: warning" in finding.message
    assert set(finding.images) == {"test/b/0", "test/b/1", "validation/b/0"}


def test_a_class_that_the_schema_lacks_and_one_that_the_data_lack() -> None:
    rows = many("train", "a", 5) + many("train", "new", 30)
    findings = classes_of(table(rows), known("a", "gone"))
    assert severities(findings) == [("unseen_class", "error"), ("unseen_class", "warning")]
    assert findings[0].message.startswith('class "new" is new, with 30 images; "new" is not among ')
    assert (len(findings[0].images), findings[0].count) == (20, 30)
    assert 'class "gone" has no image any more' in findings[1].message
    assert all("`graft schema accept`" in finding.message for finding in findings)
    assert all("the schema file /my/schema.pbtxt" in finding.message for finding in findings)


def test_many_new_classes_and_many_that_are_gone_are_one_finding_each() -> None:
    names = [f"c{number:02}" for number in range(60)]
    rows = [row for name in names for row in many("train", name, 5)]
    new, gone = classes_of(table(rows), known("a", "b", "d"))
    words = 'classes "c00", "c01", "c02", "c03", "c04" and 55 more are new, with 300 images; "c00"'
    assert new.message.startswith(words)
    assert '"c04" and 55 more are not among the 3 classes of the schema file' in new.message
    assert (new.severity, len(new.images), new.count) == ("error", 20, 300)
    assert gone.message.startswith(
        'classes "a", "b", "d" have no image any more; "a", "b", "d" are'
    )


def test_classes_that_exchanged_their_names_stop_the_run() -> None:
    rows = many("train", "a", 5) + many("train", "b", 5)
    swap = ClassChange("exchanged", ("a", "b"), ("b", "a"), images=10, moved=10)
    (finding,) = check_classes(table(rows), known("a", "b"), [swap], SETTINGS)
    assert severities([finding]) == [("unseen_class", "error")]
    assert '"a" is now "b", "b" is now "a"' in finding.message
    assert "their names back. If that is meant, type `graft schema accept`" in finding.message
    assert finding.count == 10


def test_a_schema_that_knows_no_classes_says_so_and_how_to_mend_it() -> None:
    rows = many("train", "0", 5) + many("train", "1", 5)
    free = KnownClasses(None, "/my/schema.pbtxt")
    (finding,) = classes_of(table(rows), free)
    assert severities([finding]) == [("unseen_class", "error")]
    assert "schema file /my/schema.pbtxt does not say which classes are known" in finding.message
    assert "Delete the file" in finding.message


def test_a_small_class_counts_its_training_images_only() -> None:
    rows = many("train", "a", 5) + many("train", "b", 1) + many("test", "b", 9)
    rows += many("test", "a", 1)
    (finding,) = classes_of(table(rows), known("a", "b"))
    assert severities([finding]) == [("too_few_images", "error")]
    assert 'class "b" has 1 image to train on, fewer than' in finding.message
    assert "(10 in all, the others validate or test)" in finding.message
    assert finding.images == ("train/b/0",)


def test_many_small_classes_are_one_finding() -> None:
    names = [f"c{number:02}" for number in range(60)]
    rows = [row for name in names for row in many("train", name, 4) + many("test", name, 2)]
    (finding,) = classes_of(table(rows), known(*names))
    assert finding.message.startswith(
        "60 of 60 classes have fewer images to train on than validation.min_images_per_class: 5."
    )
    assert '"c00" 4 of 6, "c01" 4 of 6' in finding.message
    assert "and 55 more" in finding.message
    assert (len(finding.images), finding.count) == (20, 240)


def test_many_untrained_classes_are_one_finding() -> None:
    names = ["a", "b", "c", "d"]
    rows = [row for name in "ab" for row in many("train", name, 5)]
    rows += [row for name in "cd" for row in many("test", name, 2)]
    (finding,) = classes_of(table(rows), known(*names))
    assert severities([finding]) == [("unseen_class", "error")]
    assert "2 of 4 classes have images in test and none in train" in finding.message
    assert 'learn them: "c" 2, "d" 2.' in finding.message
    assert finding.count == 4


def test_classes_that_are_trained_on_and_not_tested_are_told() -> None:
    rows = [row for name in "abc" for row in many("train", name, 5)]
    rows += many("validation", "a", 2) + many("test", "a", 2) + many("test", "b", 2)
    validation, test = classes_of(table(rows), known("a", "b", "c"))
    assert severities([validation, test]) == [("too_few_images", "warning")] * 2
    assert validation.found.startswith("2 of 3 classes have no validation image, so that nothing")
    assert validation.found.endswith('where the model is chosen: "b", "c".')
    assert test.found == (
        'class "c" has no test image, so that nothing says how well the model answers it.'
    )
    assert "To silence it, set validation.too_few_images: ignore." in test.message


def test_the_same_bytes_in_two_splits() -> None:
    rows = [*many("train", "a", 5), ("train", "a", "x", "same", 1), ("test", "a", "y", "same", 1)]
    (finding,) = check_duplicates(table(rows), SETTINGS)
    assert severities([finding]) == [("duplicate_across_splits", "warning")]
    assert finding.images == ("x", "y")
    assert "'x' (train, class \"a\") and 'y' (test, class \"a\")" in finding.message


def test_the_same_bytes_under_two_labels() -> None:
    rows = [("train", "a", "x", "same", 1), ("train", "b", "y", "same", 1)]
    assert severities(check_duplicates(table(rows), SETTINGS)) == [("label_conflict", "error")]


def test_a_few_images_under_two_labels_are_a_warning() -> None:
    rows = [*many("train", "a", 98), ("train", "a", "x", "same", 1), ("train", "b", "y", "same", 1)]
    lenient = SETTINGS.model_copy(update={"max_label_conflicts": 0.02})
    assert severities(check_duplicates(table(rows), lenient)) == [("label_conflict", "warning")]
    strict = SETTINGS.model_copy(update={"max_label_conflicts": 0.019})
    assert severities(check_duplicates(table(rows), strict)) == [("label_conflict", "error")]


def test_copies_within_one_split_and_class_are_fine() -> None:
    rows = [("train", "a", f"{number}", "same", 1) for number in range(50)]
    assert check_duplicates(table(rows), SETTINGS) == []


def test_look_alikes_under_two_labels_and_in_two_splits_are_warnings() -> None:
    rows = [("train", "a", "x", "1", 0b0111), ("test", "b", "y", "2", 0b0110)]
    strict = SETTINGS.model_copy(update={"near_duplicate_across_splits": "error"})
    findings = check_duplicates(table(rows), strict)
    expected = [("label_conflict", "warning"), ("near_duplicate_across_splits", "error")]
    assert severities(findings) == expected
    assert (
        check_duplicates(table(rows), strict.model_copy(update={"near_duplicate_distance": 0}))
        == []
    )


def test_look_alikes_of_a_copied_image_are_found_in_every_split() -> None:
    rows = [
        ("train", "a", "x", "1", 7),
        ("train", "a", "copy", "2", 6),
        ("test", "a", "copy of copy", "2", 6),
    ]
    findings = check_duplicates(table(rows), SETTINGS)
    assert [finding.count for finding in findings] == [2, 2]


def test_more_pairs_than_a_message_holds_are_counted() -> None:
    rows = many("train", "a", 40)
    rows += [
        ("test", label, f"copy of {name}", digest, one) for _, label, name, digest, one in rows
    ]
    (finding,) = check_duplicates(table(rows), SETTINGS)
    assert "and 37 more pairs" in finding.message
    assert (len(finding.images), finding.count) == (20, 80)


def test_ignored_checks_are_silent() -> None:
    levels = {check: "ignore" for check, level in SETTINGS if level in ("error", "warning")}
    silent = SETTINGS.model_copy(update=levels)
    rows = [("train", "a", "x", "s", 1), ("test", "b", "y", "s", 1), ("test", "c", "z", "t", 1)]
    assert classes_of(table(rows), known("d"), silent) == []
    assert check_duplicates(table(rows), silent) == []


def write_quarantine(folder: Path, images: int, rows: list[tuple[str, str, str]]) -> None:
    lines = [
        json.dumps({"name": name, "code": code, "reason": "…", "fate": fate})
        for name, code, fate in rows
    ]
    (folder / "quarantine.jsonl").write_text("".join(line + "\n" for line in lines))
    ingest = {"images": images, "lost_classes": []}
    (folder / "ingest.json").write_text(json.dumps(ingest))


@pytest.mark.parametrize(("refused", "expected"), [(1, []), (2, ["too_many_quarantined"])])
def test_quarantine(tmp_path: Path, refused: int, expected: list[str]) -> None:
    rows = [(f"{number}.jpg", "truncated", "refused") for number in range(refused)]
    rows += [(f"{number}.txt", "not_an_image", "passed_over") for number in range(5)]
    write_quarantine(tmp_path, 9, rows)
    findings = check_quarantine(str(tmp_path), SETTINGS)
    assert [finding.check for finding in findings] == expected
    if findings:
        assert "2 of 11 images (18.2%)" in findings[0].message
        assert "(2 truncated)" in findings[0].message
        assert "Most often, of 2: …." in findings[0].message
        assert findings[0].images == ("0.jpg", "1.jpg")


def test_a_damaged_container_is_an_error_however_much_it_held(tmp_path: Path) -> None:
    rows = [(f"{number}.tfrecord", "damaged_container", "unknown") for number in range(4)]
    write_quarantine(tmp_path, 1000, rows)
    (finding,) = check_quarantine(str(tmp_path), SETTINGS)
    assert severities([finding]) == [("damaged_container", "error")]
    assert finding.message.startswith("4 of the TFRecord files are damaged or missing")
    assert finding.message.endswith("set validation.damaged_container: warning.")
    assert finding.images[0] == "0.tfrecord"
    silent = SETTINGS.model_copy(update={"damaged_container": "ignore"})
    assert check_quarantine(str(tmp_path), silent) == []


def test_a_folder_that_was_not_looked_into_is_an_error(tmp_path: Path) -> None:
    rows = [("cats/", "closed_folder", "unknown"), ("dogs/", "link_outside", "unknown")]
    write_quarantine(tmp_path, 1000, rows)
    (finding,) = check_quarantine(str(tmp_path), SETTINGS)
    assert severities([finding]) == [("damaged_container", "error")]
    assert finding.message.startswith("2 folders were not looked into")
    assert finding.images == ("cats/", "dogs/")


def test_a_class_folder_without_images_is_a_warning(tmp_path: Path) -> None:
    write_quarantine(tmp_path, 1000, [("cats/", "empty_class", "refused")])
    (finding,) = check_quarantine(str(tmp_path), SETTINGS)
    assert severities([finding]) == [("too_few_images", "warning")]
    assert "1 class folder holds no image" in finding.message
    assert "set validation.too_few_images: ignore" in finding.message


def test_a_class_of_which_every_image_was_refused_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "quarantine.jsonl").write_text("")
    ingest = {"images": 99, "quarantined": 1, "lost_classes": ["cat"]}
    (tmp_path / "ingest.json").write_text(json.dumps(ingest))
    (finding,) = check_quarantine(str(tmp_path), SETTINGS)
    assert severities([finding]) == [("too_few_images", "error")]
    assert 'class "cat" has no image left' in finding.message


def test_anomalies_become_findings_but_new_classes_do_not() -> None:
    found = anomalies_pb2.Anomalies()
    found.anomaly_info["format"].description = "Unexpected string values: webp (~2%)."
    label = found.anomaly_info["label"]
    label.reason.add(type=anomalies_pb2.AnomalyInfo.ENUM_TYPE_UNEXPECTED_STRING_VALUES)
    (finding,) = check_anomalies(
        {"train": found, "test": anomalies_pb2.Anomalies()}, "/my/schema.pbtxt", SETTINGS
    )
    assert severities([finding]) == [("schema_anomaly", "warning")]
    assert finding.message.startswith(
        'the train split does not fit the schema: feature "format": Unexpected string values: webp'
    )


def test_a_message_offers_what_its_severity_allows() -> None:
    rows = table([*many("train", "a", 2), *many("train", "b", 9)])
    (error,) = classes_of(rows, known("a", "b"))
    assert error.message.endswith("To go on all the same, set validation.too_few_images: warning.")
    softer = SETTINGS.model_copy(update={"too_few_images": "warning"})
    (warning,) = classes_of(rows, known("a", "b"), softer)
    assert warning.message.endswith("To silence it, set validation.too_few_images: ignore.")
    assert "all the same" not in warning.message
