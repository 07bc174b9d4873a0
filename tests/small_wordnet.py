"""A database of WordNet's form: ImageNet's classes, and a few words above and beside them."""

from pathlib import Path

from models.zero_shot import meanings

TREE = {
    "entity": "",
    "thing": "entity",
    "abstraction": "entity",
    "zero": "abstraction",
    "plant": "thing",
    "flower": "plant",
    "tulip": "flower",
    "animal": "thing",
    "fish": "animal",
    "artifact": "thing",
    "building": "artifact",
    "dwelling": "building",
    "tower_block": "building",
    "clothing": "artifact",
    "shoe": "clothing",
}
"""Each word, and what it is a kind of."""
PLACED = {
    "daisy": "flower",
    "yellow_lady's_slipper": "flower",
    "tench": "fish",
    "goldfish": "fish",
    "palace": "dwelling",
    "monastery": "dwelling",
    "church": "building",
    "running_shoe": "shoe",
    "sandal": "shoe",
}
"""ImageNet's classes that are no mere artifacts."""
RARE_SENSES = {"bloom": ("zero", "flower")}
"""Words with several meanings, the most frequent first."""


def write_wordnet(folder: Path, without: str = "nothing") -> Path:
    """Writes it, without the ImageNet class of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = [key for key in meanings._TABLE.read_text().split() if not key.startswith(f"{without}%")]
    # ImageNet has two cranes.
    above = {**TREE, **{key: PLACED.get(key.partition("%")[0], "artifact") for key in keys}}
    offsets = {node: f"{number:08d}" for number, node in enumerate(above, start=1)}
    senses: dict[str, list[str]] = {}
    data = ["  1 A licence."]
    for node, parent in above.items():
        word, _, end = node.partition("%")
        senses.setdefault(word, []).append(offsets[node])
        _, file, number, *_ = (end or "1:03:00::").split(":")
        pointers = f"001 @ {offsets[parent]} n 0000" if parent else "000"
        told = f'what is called {word}; "an example"'
        data.append(f"{offsets[node]} {file} n 01 {word} {int(number):x} {pointers} | {told}  ")
    for word, others in RARE_SENSES.items():
        senses[word] = [sense for other in others for sense in senses[other]]
    index = ["  1 A licence."]
    for word, found in sorted(senses.items()):
        index.append(f"{word} n {len(found)} 1 @ {len(found)} 0 {' '.join(found)}  ")
    (folder / "data.noun").write_text("\n".join(data) + "\n", "latin-1")
    (folder / "index.noun").write_text("\n".join(index) + "\n", "latin-1")
    (folder / "noun.exc").write_text("fishies fish\n")
    return folder
