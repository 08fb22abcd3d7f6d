"""The head of every page that needs no other file and no network, and its policy, which forbids any request."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape


def page_head(title: str, style: str, scripts: Sequence[str], more_policy: str = "") -> str:
    """Return a page up to the start of its body.

    Args:
        title: plain text.
        style: the style sheet.
        scripts: the text of each script of the page; the browser runs no other.
        more_policy: what the page may load besides, as directives of a Content Security Policy.
    """
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts) or "'none'"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {hashes}; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}{more_policy and "; " + more_policy}">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>"
    )


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
