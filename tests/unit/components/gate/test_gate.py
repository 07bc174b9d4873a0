import pytest

from components.findings import Finding, read_findings, write_findings
from components.gate.executor import check_findings
from models.errors import BadDataError


def test_warnings_pass() -> None:
    check_findings([Finding("schema_anomaly", "warning", "odd"), Finding("any", "info", "so")])


def test_every_error_is_told_with_its_images() -> None:
    names = [f"cat/{number}.png" for number in range(23)]
    findings = [
        Finding.about("too_few_images", "error", "class cat is small.", names),
        Finding.about("label_conflict", "error", "twice.", ["a\nb.png"]),
        Finding.about("schema_anomaly", "warning", "not told.", []),
    ]
    with pytest.raises(BadDataError) as raised:
        check_findings(findings)
    lines = str(raised.value).splitlines()
    assert lines[0] == "Validation found 2 problems in the data."
    assert lines[1] == "1. too_few_images: class cat is small."
    assert [line.strip() for line in lines[2:22]] == names[:20]
    assert lines[22].strip() == "... and 3 more"
    assert lines[23:] == ["2. label_conflict: twice.", "     'a\\nb.png'"]


def test_of_hundreds_of_errors_the_first_are_told_and_the_others_counted() -> None:
    findings = [Finding("too_few_images", "error", f"class {each}.") for each in range(200)]
    with pytest.raises(BadDataError) as raised:
        check_findings(findings)
    lines = str(raised.value).splitlines()
    assert lines[0] == "Validation found 200 problems in the data."
    assert lines[20:] == ["20. too_few_images: class 19.", "and 180 more, which the report names"]


def test_one_problem_is_one_and_all_its_images_need_no_remainder() -> None:
    with pytest.raises(BadDataError) as raised:
        check_findings([Finding.about("label_conflict", "error", "twice.", ["a.png", "b.png"])])
    assert str(raised.value) == (
        "Validation found 1 problem in the data.\n1. label_conflict: twice.\n     a.png\n     b.png"
    )


def test_findings_survive_their_file(tmp_path) -> None:
    findings = [Finding.about("unseen_class", "error", "ünseen", ["ä/1.png", "b\n.png"])]
    write_findings(str(tmp_path), findings)
    assert read_findings(str(tmp_path)) == findings
