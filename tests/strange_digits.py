"""Digits in folders with strange names, among files of every bad kind."""

import io
import os
import shutil
import struct
import zlib
from pathlib import Path

from PIL import Image

STRANGE_CLASSES = {
    b'two words \'n "quotes"': 'two words \'n "quotes"',
    b"line\nbreak": "line\\nbreak",
    "größe 数字".encode(): "größe 数字",
    b"latin\xe9": "latin\\xe9",
    b"a,b;c\t{SPAN}%s$HOME": "a,b;c\\t{SPAN}%s$HOME",
    **{str(digit).encode(): str(digit) for digit in range(5, 10)},
}
"""Name of the folder of each digit on disk, with the class that it becomes."""


def write_strange_digits(digits: Path, data: Path) -> dict[str, str]:
    """Copies digits, and puts bad files beside them.

    Returns:
        Name of each bad file to the code of its refusal.
    """
    for digit, name in enumerate(STRANGE_CLASSES):
        target = data / os.fsdecode(name)
        target.mkdir(parents=True)
        for image in sorted((digits / str(digit)).iterdir()):
            shutil.copy(image, target / (image.stem + ' é\n"x"' + os.fsdecode(b"\xff") + ".png"))
    spoilt = data / os.fsdecode(next(iter(STRANGE_CLASSES)))
    codes = {f"{spoilt.name}/{name}": code for name, code in _spoil(spoilt).items()}
    (data / "up").symlink_to("..")
    return {**codes, "up": "link_outside"}


def _bomb() -> bytes:
    """A PNG of a few bytes that claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _animation() -> bytes:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    target = io.BytesIO()
    frames[0].save(target, "gif", save_all=True, append_images=frames[1:])
    return target.getvalue()


def _spoil(folder: Path) -> dict[str, str]:
    """Puts every kind of bad file into a class folder; returns name to expected code."""
    whole = min(folder.glob("*.png")).read_bytes()
    contents = {
        "cut.png": (whole[:70], "truncated"),
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"this is no image", "not_an_image"),
        "bomb.png": (_bomb(), "too_many_pixels"),
        "animated.gif": (_animation(), "animated"),
    }
    for name, (content, _) in contents.items():
        (folder / name).write_bytes(content)
    expected = {name: code for name, (_, code) in contents.items()}
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    (folder / "nowhere.jpg").symlink_to("gone.jpg")
    (folder / "itself.jpg").symlink_to("itself.jpg")
    (folder / "loop").symlink_to(".")
    expected |= {"pipe.jpg": "not_a_file", "nowhere.jpg": "unreadable", "itself.jpg": "unreadable"}
    expected["loop"] = "symlink_loop"
    if os.geteuid() != 0:  # root reads whatever the permissions are
        (folder / "locked.png").write_bytes(whole)
        (folder / "locked.png").chmod(0)
        expected["locked.png"] = "unreadable"
    return expected
