r"""Formulas as MathML, made when the site is built: they need neither a script nor a network.

Arithmatex leaves ``\(…\)`` in a span and ``\[…\]`` in a div; their TeX becomes MathML here.
"""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

__all__ = ["on_page_content"]

_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def on_page_content(content: str, **_: Any) -> str:
    """MkDocs' event: the page's HTML before it is put into the template."""
    return _FORMULA.sub(_formula, content)


def _formula(match: re.Match[str]) -> str:
    tag, bracket, tex = match.groups()
    display = "block" if bracket == "[" else "inline"
    mathml = convert(html.unescape(tex).strip(), display=display)
    return f'<{tag} class="formula">{mathml}</{tag}>'
