"""The labels that wait for the monitor."""

from pathlib import Path

from models.storage.atomic_write import write_atomically
from monitoring.label_inbox import LabelInbox


def test_labels_are_kept_in_the_order_in_which_they_came_and_once(tmp_path: Path) -> None:
    inbox = LabelInbox(tmp_path)
    first, second = {("a", 0): "cat"}, {("b", 0): "dog"}
    for labels in (first, second, first):
        inbox.put(labels)
    assert [inbox.take(name) for name in inbox.names()] == [first, second]


def test_labels_take_no_other_ones_place(tmp_path: Path) -> None:
    """One file was deleted; of a former Graft there is one without a digest in its name."""
    write_atomically(tmp_path / "labels" / "000000.json", b'[["z", 0, "cat"]]')
    inbox = LabelInbox(tmp_path)
    all_labels = [{(request, 0): "cat"} for request in "zabc"]
    inbox.put(all_labels[1])
    inbox.put(all_labels[2])
    (tmp_path / "labels" / "000000.json").unlink()
    inbox.put(all_labels[3])
    assert [inbox.take(name) for name in inbox.names()] == all_labels[1:]


def test_two_commands_at_once_leave_what_both_brought(tmp_path: Path) -> None:
    one, other = LabelInbox(tmp_path), LabelInbox(tmp_path)
    other._files = list  # type: ignore[method-assign]  # it looked before the first wrote
    one.put({("a", 0): "cat"})
    other.put({("b", 0): "dog"})
    assert len(one.names()) == 2
