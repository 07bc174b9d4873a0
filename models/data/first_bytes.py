"""What a file's first bytes say of it."""

from models.data import png_header

_READ_IMAGES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, png_header.MAGIC, "PNG"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (8, b"WEBP", "WebP"),
    *((0, b"P%d%c" % (kind, blank), "PNM") for kind in (4, 5, 6) for blank in b"\n "),
)
_OTHER_IMAGES = (
    (4, b"ftyphe", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (4, b"ftypavi", "AVIF"),
    (0, b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (0, b"\x00\x00\x01\x00", "ICO"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (0, b"v/1\x01", "OpenEXR"),
    (128, b"DICM", "DICOM"),
)
_OTHER_FILES = (
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (
        0,
        b"version https://git-lfs.github.com/spec/",
        "a pointer of Git LFS, which stands for the image: `git lfs pull` brings the image itself",
    ),
)
_PAGE_OF_THE_WEB = ("<!doctype html", "<html")


def begins_like_an_image(head: bytes) -> bool:
    """Whether a file's first bytes, 32 or more, are those of an image format, read or not."""
    return any(
        head[at : at + len(magic)] == magic
        for at, magic, _name in (*_READ_IMAGES, *_OTHER_IMAGES)
        if magic != b"BM" or head[6:10] == bytes(4)  # two letters begin many a text
    )


def what_it_is(raw: bytes) -> tuple[str, str]:
    """What a file is that cannot be opened as an image.

    Args:
        raw: its bytes, at least one.

    Returns:
        The code of the refusal (`normalisation`), and a sentence for the user.
    """
    for at, magic, name in _READ_IMAGES:
        if raw[at : at + len(magic)] == magic:
            return "corrupt", f"it begins as {name}, but its header is broken"
    for at, magic, name in _OTHER_IMAGES:
        if raw[at : at + len(magic)] == magic:
            return "unsupported_format", f"{name} is not read; convert it to JPEG or PNG"
    for at, magic, name in _OTHER_FILES:
        if raw[at : at + len(magic)] == magic:
            return "not_an_image", f"it is {name}"
    return _text_or_unknown(raw[:256])


def _text_or_unknown(head: bytes) -> tuple[str, str]:
    try:
        text = head.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        zeroes = (
            "" if head.strip(b"\0") else ": nothing but zeroes, as of a copy that was broken off"
        )
        return "not_an_image", f"its first bytes are of no known image format{zeroes}"
    if "<svg" in text:
        return "unsupported_format", "SVG is not read; convert it to PNG"
    if text.lstrip("\ufeff \t\r\n").lower().startswith(_PAGE_OF_THE_WEB):
        return "not_an_image", "it is a page of the web, as a download that failed leaves it"
    # What the text says stays out of the reason: a link may have brought anything here.
    return "not_an_image", "it is text"
