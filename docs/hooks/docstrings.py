"""Links in docstrings: names between double backticks lead to their entry, where the site has one.

Docstrings are Google's dialect in Markdown, and need nothing else. A name is looked up from where it stands, as Python
would find it, or is a whole path that starts with the package.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

__all__ = ["Docstrings"]

_NAME = re.compile(r"(?<!`)``([A-Za-z_]\w*(?:\.\w+)*)``(?!`)")
_PACKAGES = ("ltc", "datamodules")


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
        obj.docstring.value = linked(obj.docstring.value, obj)


def linked(text: str, scope: griffe.Object) -> str:
    """A docstring with links.

    Args:
        text: the docstring, without its indentation.
        scope: whose it is: names are looked up from there.
    """
    return _NAME.sub(lambda match: _link(match[1], scope) or match[0], text)


def _link(name: str, scope: griffe.Object) -> str | None:
    if scope.is_function and name in {parameter.name for parameter in scope.parameters}:  # type: ignore[attr-defined]
        return None
    package, _, inside = name.partition(".")
    target = name if package in _PACKAGES and inside else _resolved(scope, name)
    return target and f'<autoref identifier="{target}" optional><code>{name}</code></autoref>'


def _resolved(scope: griffe.Object, name: str) -> str | None:
    """The path of a member of the class, or of a name of the module."""
    owner = scope
    while not owner.is_class and not owner.is_module and owner.parent is not None:
        owner = owner.parent  # type: ignore[assignment]
    first = name.partition(".")[0]
    for place in (owner, owner.module):
        if first in place.members:
            return f"{place.path}.{name}"
    return None
