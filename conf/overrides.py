"""Overrides of the command line that Hydra would not read: numbers as choices, and paths with any letter in them.

- ``lambda=2``: a number for a group is handed on as its text, which names a choice, or is refused as no choice.
- ``data_dir=/data/a=b``, ``path=/home/rené``: what Hydra's grammar has no letters for is read as if it were quoted.
- ``lattice=null``, ``lattice=[e8,z]``: refused with what is allowed, and not with a traceback.
- ``system=e8``: a group of an earlier release, refused with its new name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException

from conf.hydra_private import change_override_parser, replace_value

__all__ = ["choices", "read_overrides_kindly"]

_CONF = Path(__file__).resolve().parent
# A value with one of these may be meant as a list, a sweep, an interpolation or a quotation: it stays as it is.
_GRAMMAR = set("'\"\\,[]{}$")
# Groups that have another name now, and how their choices are called.
_RENAMED = {"system": "experiment=images/ltc_e8, images/ltc_tcq8, images/ltc_learned, images/ltc_z or images/scalar"}


def choices(group: str) -> list[str]:
    """The names of a group's files.

    Examples:
        >>> choices("lambda")
        ['high', 'low', 'mid']
    """
    return sorted(path.stem for path in (_CONF / group).glob("*.yaml"))


def read_overrides_kindly() -> None:
    """Lets Hydra's parser read them, wherever overrides are read; safe to call again."""
    change_override_parser(lambda parse, text: _as_choice(_parsed(parse, text)))


def _parsed(parse: Callable[[str], Override], text: str) -> Override:
    try:
        return parse(text)
    except HydraException:
        key, sign, value = text.partition("=")
        if not sign or not value or _GRAMMAR & set(value) or ("(" in value and "/" not in value):
            raise
        return parse(f"{key}='{value}'")


def _as_choice(override: Override) -> Override:
    """The override of a group with the text of its choice."""
    group, value = override.key_or_group, override.value()
    if group in _RENAMED:
        raise ConfigCompositionException(f"{override.input_line} is not allowed: it is {_RENAMED[group]} now.")
    if "." in group or not choices(group) or override.is_delete() or override.is_sweep_override():
        return override
    if isinstance(value, int | float):
        text = str(override.input_line).partition("=")[2]
        # A number of lambda is a name in many spellings: 1e-3 and 0.001.
        replace_value(override, text if isinstance(value, bool) or group != "lambda" else str(value))
    elif not isinstance(value, str):
        raise ConfigCompositionException(f"{override.input_line} is not allowed: {_allowed(group)}.")
    return override


def _allowed(group: str) -> str:
    names = ", ".join(choices(group))
    if group == "lambda":
        return f"lambda is a positive number, as in lambda=0.5, or one of {names}; several are a sweep: -m lambda=0.5,1"
    return f"{group} is one of {names}; several are a sweep: -m {group}=…,…"
