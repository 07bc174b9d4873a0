"""Whatever lies on the disk is accounted for, and nothing but a refusal of the whole ends ingest.

In the default suite the inputs are the same in every run. More of them, drawn anew each time:
`python -m pytest tests/integration/test_ingest_properties.py --hypothesis-profile=large`. A failure
prints the input; `--hypothesis-seed=N` repeats a draw. No memory of inputs is kept.
"""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import event, given, strategies as st
from ingest_in_process import write_in_process
from offered import folders, manifests, records
from offered.offer import SECRET, Offer

from components.example_gen.ingest import ingest_source, read_source
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import LeftOut, canonical_label
from components.example_gen.sources.refusals import RefusedSourceError
from components.example_gen.sources.spans import Location
from models.errors import BadDataError

_HANGS_AFTER_SECONDS = 120


_SOURCES = st.one_of(
    st.tuples(st.just(folders), folders.FOLDERS),
    st.tuples(st.just(manifests), manifests.MANIFESTS),
    st.tuples(st.just(records), records.RECORDS),
)


@given(_SOURCES)
def test_whatever_is_offered_is_accounted_for(source: tuple[Any, dict[str, Any]]) -> None:
    kind, given_source = source
    with TemporaryDirectory() as folder, _not_for_ever():
        offer = kind.build(Path(folder), given_source)
        settings = IngestSettings(ignore=(folders.IGNORED,), **offer.settings)
        said: list[str] = []
        refused_because = ""
        try:
            with read_source([Location(str(offer.path))], settings, "") as found:
                said += map(str, found.left_out)
                _check_sum(offer, len(found.images), found.left_out)
                write = write_in_process(Path(folder) / "examples", settings)
                done = ingest_source(found, settings, 0, write)
            said += map(str, done.left_out)
            _check_sum(offer, done.counts.total(), done.left_out)
            _check_fates(offer, done.counts.total(), done.left_out)
            if offer.is_known:
                assert set(done.classes) <= set(map(canonical_label, offer.classes))
            assert not offer.is_broken
            event("ingested")
        except BadDataError as error:
            refused_because = str(error)
            if isinstance(error, RefusedSourceError):
                _check_numbers(offer, 0, error.left_out)
            event("refused as a whole")
        assert not (refused_because and offer.is_sound)
        assert SECRET not in "".join(said) + refused_because


def _check_sum(offer: Offer, used: int, left_out: tuple[LeftOut, ...]) -> None:
    names = [one.name for one in left_out]
    assert len(set(names)) == len(names)
    assert all(name.splitlines() == [name] and name.encode() for name in names)
    _check_numbers(offer, used, left_out)


def _check_numbers(offer: Offer, used: int, left_out: tuple[LeftOut, ...]) -> None:
    if offer.is_known:
        assert used + len(_items(left_out)) == len(offer.items)
        assert sum(one.fate == "unknown" for one in left_out) == offer.damaged


def _check_fates(offer: Offer, used: int, left_out: tuple[LeftOut, ...]) -> None:
    if not offer.is_known:
        return
    found = Counter({"used": used}) + Counter(one.fate for one in _items(left_out))
    for fate in ("used", "refused", "passed_over"):
        least = sum(fates == {fate} for fates in offer.items)
        most = sum(fate in fates for fates in offer.items)
        assert least <= found[fate] <= most, fate


def _items(left_out: tuple[LeftOut, ...]) -> list[LeftOut]:
    """What was left out, but for lines about a folder or a container as a whole."""
    return [one for one in left_out if one.fate != "unknown" and one.code != "empty_class"]


@contextmanager
def _not_for_ever() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError("the input hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(_HANGS_AFTER_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
