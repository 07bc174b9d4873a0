"""What a reader sees of a page."""

import html
import re


def visible_text(page: str) -> str:
    """What a page says, without its markup."""
    without_style = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", without_style))
