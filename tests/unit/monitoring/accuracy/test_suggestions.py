import csv

import numpy as np
import pytest
from served_digits import served_digits

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source
from monitoring.accuracy.estimator import AccuracyEstimator
from monitoring.accuracy.label_files import read_label_file
from monitoring.accuracy.skew import find_skew
from monitoring.accuracy.suggestions import Suggestion, write_suggestions


@pytest.fixture(scope="module")
def estimator():
    served = served_digits()
    estimator = AccuracyEstimator(served.reference)
    pictures = served.pictures[:200].copy()
    # The same new thing ten times, each with a grain of its own.
    pictures[50:60] = 255 * (np.arange(8) % 2)
    pictures[50:60, 0, 0] = np.arange(10)
    estimator.add(served.observe(pictures))
    return estimator


def test_what_is_suggested_is_often_wrong_and_not_all_alike(estimator):
    served = served_digits()
    suggested = estimator.suggest(30)
    assert len({each.digest for each in suggested}) == 30
    places = {digest: at for at, digest in enumerate(estimator.newest.digests.tolist())}
    chosen = [places[each.digest] for each in suggested]
    copies = sum(50 <= at < 60 for at in chosen)
    assert 1 <= copies <= 5
    wrong = estimator.newest.class_ids != served.labels[:200]
    plain = [at for at in chosen if not 50 <= at < 60]
    rest = np.delete(wrong, np.arange(50, 60))
    assert wrong[plain].mean() > 2 * rest.mean()
    assert estimator.suggest(0) == ()


def test_the_list_is_data_for_a_run_and_labels_once_it_is_filled_in(estimator, tmp_path):
    digest = "c" * 64
    image = tmp_path / "image.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n")
    suggestions = [
        Suggestion(digest, "=cmd|' /C calc'!A0", 0, "<b>", 0.5, "novel"),
        Suggestion("d" * 64, "r", 0, "1", 0.4, "uncertain"),
    ]
    path = tmp_path / "suggested.csv"
    write_suggestions(path, suggestions, lambda each: image if each == digest else None)
    rows = list(csv.DictReader(path.open()))
    assert rows[0]["request_id"].startswith("'=")
    assert read_label_file(path).labels == {}
    path.write_text(path.read_text().replace(f"{image},,", f"{image},three,"))
    assert read_label_file(path).labels == {(digest, -1): "three"}
    listed = list_source(str(path), IngestSettings())
    assert [(file.path, file.label) for file in listed.files] == [(str(image), "three")]


def test_skew_is_found_where_serving_answers_otherwise_than_training():
    served = served_digits()
    reference = served.reference
    observed = served.observe(served.pictures[:40])
    assert find_skew(reference, observed).images == 0
    kept = {name: getattr(observed, name) for name in observed.__dataclass_fields__}
    held = np.arange(40)
    top = reference.probabilities.argmax(axis=1)[held].astype(np.int32)
    same = type(observed)(
        **{
            **kept,
            "digests": np.array(reference.digests[:40], object),
            "class_ids": top,
            "top_probabilities": reference.probabilities[held, top][:, None].astype(np.float32),
            "top_ids": top[:, None],
        }
    )
    report = find_skew(reference, same)
    assert (report.images, report.is_skewed, report.digests) == (40, False, ())
    same.class_ids[3] = (same.class_ids[3] + 1) % 10
    same.top_probabilities[5] -= 0.2
    report = find_skew(reference, same)
    assert (report.other_class, report.other_probability) == (1, 1)
    assert set(report.digests) == {reference.digests[3], reference.digests[5]}
