"""The error of whatever reads or writes files at a path or a URI."""

from models.errors import GraftError


class PlaceError(GraftError):
    """A file or folder that cannot be listed, read or written."""
