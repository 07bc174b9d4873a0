from pathlib import Path

import pytest
from small_wordnet import write_wordnet

from models.errors import UsageError
from models.zero_shot.find_wordnet import find_wordnet
from models.zero_shot.wordnet import WordNet


@pytest.fixture(scope="module")
def wordnet(tmp_path_factory: pytest.TempPathFactory) -> WordNet:
    return WordNet(write_wordnet(tmp_path_factory.mktemp("wordnet")))


def only(wordnet: WordNet, word: str) -> str:
    (synset,) = wordnet.senses(word)
    return synset


def test_a_word_its_plural_and_an_irregular_one_mean_the_same(wordnet: WordNet) -> None:
    assert wordnet.senses("shoe") == wordnet.senses("shoes") == {only(wordnet, "shoe"): 0}
    assert wordnet.senses("fishies") == wordnet.senses("fish")
    assert wordnet.senses("xyzzy") == {}


def test_the_senses_of_a_word_come_by_their_frequency(wordnet: WordNet) -> None:
    assert wordnet.senses("bloom") == {only(wordnet, "zero"): 0, only(wordnet, "flower"): 1}


def test_a_sense_key_names_a_synset_in_the_dictionary_s_words(wordnet: WordNet) -> None:
    synset = wordnet.synset("tench%1:05:00::")
    assert synset == only(wordnet, "tench")
    assert wordnet.gloss(synset) == "what is called tench"
    assert wordnet.name(only(wordnet, "tower_block")) == "tower block"
    assert wordnet.synset("tench%1:05:01::") is None


def test_what_shares_more_is_nearer(wordnet: WordNet) -> None:
    def near(one: str, other: str) -> float:
        return wordnet.similarity(only(wordnet, one), only(wordnet, other))

    assert near("daisy", "daisy") == 1.0
    assert 1.0 > near("flower", "daisy") > near("tulip", "daisy") > near("fish", "daisy") > 0.0
    assert near("daisy", "tulip") == near("tulip", "daisy")
    # They share nothing but that they are.
    assert near("zero", "daisy") == 0.0
    assert near("entity", "entity") == 1.0


def test_a_broken_database_is_told_from_a_missing_one(tmp_path: Path) -> None:
    folder = write_wordnet(tmp_path / "wordnet")
    assert find_wordnet(folder) == folder
    (folder / "index.noun").unlink()
    with pytest.raises(UsageError, match=r"index\.noun cannot be read"):
        WordNet(folder)
    (folder / "data.noun").write_text("00000001 03 n zz\n")
    with pytest.raises(UsageError, match="does not hold WordNet's database"):
        WordNet(folder)


def test_a_missing_one_is_to_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="apt-get install wordnet-base"):
        find_wordnet(tmp_path)
    monkeypatch.setenv("WNHOME", str(tmp_path))
    folder = write_wordnet(tmp_path / "dict")
    assert find_wordnet() == folder
    monkeypatch.setenv("WNSEARCHDIR", str(write_wordnet(tmp_path / "mine")))
    assert find_wordnet() == tmp_path / "mine"
