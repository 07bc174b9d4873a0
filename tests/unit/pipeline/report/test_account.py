"""What is said of the images of a run."""

from pipeline.report.account import data_account

NUMBERS = {"images": 40, "offered": 40, "quarantined": 0, "passed_over": 0, "unknown": 0}


def test_replayed_images_of_classes_that_exchanged_their_names_are_counted() -> None:
    told = data_account(NUMBERS | {"replayed": 12, "replayed_renamed": 8}, [])
    assert told is not None
    assert told.words == (
        "40 offered: 40 used (12 by data.replay, 8 under the name that their class now has)"
    )
    usual = data_account(NUMBERS | {"replayed": 12}, [])
    assert usual is not None
    assert usual.words == "40 offered: 40 used (12 by data.replay)"
