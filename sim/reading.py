"""From TOML values to frozen dataclasses: units in strings, unknown keys refused with the nearest known one.

A field's name says its unit: `_bytes`, `_s`, `_bytes_per_s`. Plain numbers are in that unit; strings bring their own.
"""

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from .errors import ScenarioError

T = TypeVar("T")

_SIZES: Final[dict[str, float]] = (
    {"B": 1.0}
    | {
        f"{prefix}{binary}B": (1024.0 if binary else 1000.0) ** power
        for power, prefix in enumerate("kMGTPE", start=1)
        for binary in ("", "i")
    }
    | {f"K{binary}B": 1024.0 if binary else 1000.0 for binary in ("", "i")}
)
_RATES: Final[dict[str, float]] = {f"{unit}/s": size for unit, size in _SIZES.items()} | {
    f"{prefix}bit/s": 1000.0**power / 8 for power, prefix in enumerate(["", "k", "M", "G", "T", "P"])
}
_TIMES: Final[dict[str, float]] = {
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "days": 86400.0, "day": 86400.0,
}  # fmt: skip
_UNITS: Final = (("_bytes_per_s", "a rate", _RATES), ("_bytes", "a size", _SIZES), ("_s", "a time", _TIMES))
_NUMBER: Final = re.compile(r"\s*([0-9][0-9_]*(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)\s*([A-Za-z/]+)\s*")


def quantity(key: str, value: object) -> float:
    """The value of a field with a unit, in bytes, seconds or bytes per second; `unlimited` is infinity."""
    _, kind, units = next(row for row in _UNITS if key.endswith(row[0]))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if value == "unlimited":
        return float("inf")
    match = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        example = {"a rate": "10 Gbit/s", "a size": "4 MiB", "a time": "90 s"}[kind]
        raise ScenarioError(f"{key}: {value!r} is not {kind}; write a number with its unit, as in {example!r}")
    number, unit = match.groups()
    if unit not in units:
        raise ScenarioError(f"{key}: unknown unit {unit!r}; for {kind}: {', '.join(units)}")
    return float(number.replace("_", "")) * units[unit]


def _unknown(where: str, key: str, known: list[str]) -> ScenarioError:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
    return ScenarioError(f"{where}{key}: unknown key; {hint}")


def _has_unit(key: str) -> bool:
    return any(key.endswith(suffix) for suffix, _, _ in _UNITS)


def _plain(where: str, kind: Any, value: object) -> object:
    """A value without a unit, of exactly the field's type (an int will do for a float)."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ScenarioError(f"{where}: {value!r} is not {_WORDS.get(kind, kind.__name__)}")
    return value


_WORDS: Final[dict[type, str]] = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def _value(where: str, key: str, kind: Any, value: object) -> object:
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
        return _value(where, key, kind, value)
    if origin is tuple:
        inner = typing.get_args(kind)[0]
        if not isinstance(value, list):
            raise ScenarioError(f"{where}: {value!r} is not a list")
        return tuple(_value(f"{where}[{i}]", key, inner, item) for i, item in enumerate(value))
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise ScenarioError(f"{where}: {value!r} is not a table")
        return read(typing.cast(type[Any], kind), value, where + ".")
    if kind is float and _has_unit(key):
        try:
            return quantity(key, value)
        except ScenarioError as error:
            raise ScenarioError(f"{where.removesuffix(key)}{error}") from None
    return _plain(where, kind, value)


def read(cls: type[T], table: Mapping[str, object], where: str = "") -> T:
    """A dataclass from a TOML table; ScenarioError names the key that is unknown, missing, or of a wrong kind."""
    kinds = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(typing.cast(Any, cls))}
    values: dict[str, object] = {}
    for key, value in table.items():
        if key not in fields:
            raise _unknown(where, key, list(fields))
        values[key] = _value(where + key, key, kinds[key], value)
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in values:
            raise ScenarioError(f"{where}{name} is missing")
    return cls(**values)
