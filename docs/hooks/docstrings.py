"""Docstrings for the site: Sphinx roles become links, its formulas and tables become Markdown's.

Docstrings are read in the source and in editors too, and there a role says what kind of thing a name is. Markdown knows
no roles; each becomes the name as code, and a link where the site has an entry for it.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

__all__ = ["Docstrings"]

_ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):`(~?)([\w.]+)`")
_MATH_ROLE = re.compile(r":math:`([^`]*)`")
_MATH = re.compile(r"^( *)\.\. math::(.*)\n((?:(?:\1 +\S.*)?\n)*?(?=\1\S|\n*\Z|\1? *\n\1\S))", re.MULTILINE)
_TABLE = re.compile(r"^=+ +=+\n(?:.+\n)+?=+ +=+(?:\n(?:.+\n)+?=+ +=+)?$", re.MULTILINE)
_LITERAL = re.compile(r"^(\S.*[^:\s]):: *$", re.MULTILINE)
_ONE = re.compile(r"^( *)(Example|Reference):$", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Rewrites the docstring of every object, before mkdocstrings parses it."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Griffe's event: an object has been collected, with its docstring."""
        _rewrite(obj)

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Griffe's event: a whole package has been collected; of the package itself there is no other."""
        _rewrite(pkg)


def _rewrite(obj: griffe.Object) -> None:
    if obj.docstring is not None:
        obj.docstring.value = markdown(obj.docstring.value, obj)


def markdown(text: str, scope: griffe.Object) -> str:
    """A docstring in Markdown.

    Args:
        text: the docstring, without its indentation.
        scope: whose it is: names are looked up from there.
    """
    text = _TABLE.sub(_table, _ONE.sub(r"\1\2s:", text))
    text = _MATH.sub(_formula, text + "\n").rstrip("\n")
    text = _MATH_ROLE.sub(r"$\1$", text)
    text = _ROLE.sub(lambda match: _link(match, scope), text)
    return _LITERAL.sub(r"\1:", text)


def _formula(match: re.Match[str]) -> str:
    indent, first, rest = match.groups()
    lines = [line.strip() for line in (first, *rest.splitlines()) if line.strip()]
    return f"\n{indent}$$\n{indent}" + f"\n{indent}".join(lines) + f"\n{indent}$$\n\n"


def _link(match: re.Match[str], scope: griffe.Object) -> str:
    short, name = match.groups()
    shown = name.rpartition(".")[2] if short else name
    target = name if name.startswith(("ltc.", "datamodules.")) else f"{_class_of(scope).path}.{name}"
    if name in ("ltc", "datamodules") or not name.startswith(("ltc.", "datamodules.")):
        target = _resolved(scope, name) or target
    return f'<autoref identifier="{target}" optional><code>{shown}</code></autoref>'


def _resolved(scope: griffe.Object, name: str) -> str | None:
    for place in (_class_of(scope), scope.module):
        first = name.partition(".")[0]
        if first in place.members:
            return f"{place.path}.{name}"
    try:
        return scope.resolve(name)
    except griffe.NameResolutionError:
        return None


def _class_of(scope: griffe.Object) -> griffe.Object:
    while not scope.is_class and not scope.is_module and scope.parent is not None:
        scope = scope.parent  # type: ignore[assignment]
    return scope


def _table(match: re.Match[str]) -> str:
    """A table of two columns as a list; a row goes on where its first column is empty, and a heading is left out."""
    lines = match.group(0).splitlines()
    width = lines[0].index(" =") + 1
    rules = [i for i, line in enumerate(lines) if set(line) <= {"=", " "}]
    rows: list[list[str]] = []
    for line in lines[rules[-2] + 1 : rules[-1]]:
        left, right = line[:width].strip(), line[width:].strip()
        if left:
            rows.append([left, right])
        else:
            rows[-1][1] += f" {right}"
    return "\n".join(f"- {left}: {right}" for left, right in rows)
