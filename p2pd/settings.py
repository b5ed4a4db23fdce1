"""Settings of a service: a frozen dataclass filled from its defaults < a TOML file < the environment < flags.

A field may be a str, int, float, bool, tuple[str, ...], a dataclass (a table), dict[str, dataclass] (a table of
tables), or any of these `| None`. Text is taken for a number where it comes from the environment or a flag, and with
a unit (`64 MiB`, `30s`, `10 MiB/s`) wherever the field's name ends in `_bytes`, `_s` or `_bytes_per_s`, or in one of
these and `_max`.
Every refusal names the key, where it was set, and what would do.
"""

import difflib
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from manifests.console import UsageError, parse_bytes, parse_duration

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Cls = TypeVar("Cls", bound=DataclassInstance)

TRUTH: Final = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
TYPO_SIMILARITY: Final = 0.85
"""An unknown variable this near to a known one is a typo; others are somebody else's (Kubernetes sets `NAME_PORT`)."""


class SettingsError(UsageError):
    """A setting that can't be used. The operator's to correct; the message says which, where, and what would do."""


@dataclass(frozen=True)
class _Place:
    """Where a value was set. `key` is dotted; `text` says that every value there is text."""

    origin: str
    key: str
    text: bool = False

    def below(self, name: str) -> "_Place":
        return _Place(self.origin, f"{self.key}.{name}" if self.key else name, self.text)

    def wrong(self, value: object, expected: str) -> SettingsError:
        return SettingsError(f"{self.origin}: {self.key} = {value!r}: expected {expected}")


def load(
    cls: "type[Cls]",
    *,
    path: str | None,
    environment: Mapping[str, str],
    prefix: str,
    overrides: Mapping[str, object],
) -> "Cls":
    """An instance of `cls`. An override of None counts as not given.

    With prefix `P2PD`, the field `listen` is read from the variable `P2PD_LISTEN`; a tuple's items part by commas.
    SettingsError for an unknown key, a wrong value, a missing one, or a file that can't be read.
    """
    hints = typing.get_type_hints(cls)
    values: dict[str, object] = {}
    if path is not None:
        values |= _fill(cls, _read_toml(path), _Place(path, ""))
    for name, key, text in _variables(hints, environment, prefix.rstrip("_") + "_"):
        values[name] = _convert(hints[name], name, text, _Place(f"environment {key}", name, text=True))
    for name, value in overrides.items():
        if value is not None:
            place = _Place(f"--{name.replace('_', '-')}", name, text=True)
            _check_known(name, hints, place)
            values[name] = _convert(hints[name], name, value, place)
    return _build(cls, values, _Place(path or "settings", ""))


def _read_toml(path: str) -> dict[str, object]:
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error


def _variables(hints: Mapping[str, Any], environment: Mapping[str, str], prefix: str) -> list[tuple[str, str, str]]:
    """(field, variable, text) of each variable that sets a field; SettingsError for one that looks like a typo."""
    known = {name.upper(): name for name in hints}
    found = []
    for key in sorted(key for key in environment if key.startswith(prefix)):
        bare = key.removeprefix(prefix)
        if bare in known:
            found.append((known[bare], key, environment[key]))
        elif near := difflib.get_close_matches(bare, known, 1, TYPO_SIMILARITY):
            raise SettingsError(f"environment: unknown variable {key}; did you mean {prefix}{near[0]}?")
    return found


def _check_known(name: str, known: Mapping[str, Any], place: _Place) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, 1, 0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
    raise SettingsError(f"{place.origin}: unknown key {place.key!r}; {hint}")


def _fill(cls: type[Any], table: object, place: _Place) -> dict[str, object]:
    """The table's values, each converted to the type of the field of `cls` that has its name."""
    if not isinstance(table, Mapping):
        raise place.wrong(table, "a table")
    hints = typing.get_type_hints(cls)
    values = {}
    for name, value in table.items():
        _check_known(name, hints, place.below(name))
        values[name] = _convert(hints[name], name, value, place.below(name))
    return values


def _build(cls: "type[Cls]", values: Mapping[str, object], place: _Place) -> "Cls":
    """An instance, or SettingsError for a missing field or what the class itself refuses with ValueError."""
    missing = [field.name for field in fields(cls) if field.name not in values and _is_required(field)]
    if missing:
        names = ", ".join(place.below(name).key for name in missing)
        raise SettingsError(f"{place.origin}: {names} must be set")
    try:
        return cls(**values)
    except ValueError as error:
        where = f"{place.key}: " if place.key else ""
        raise SettingsError(f"{place.origin}: {where}{error}") from error


def _is_required(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _convert(expected: Any, name: str, value: object, place: _Place) -> object:
    """The value as the expected type; `name` is the field's, whose ending tells the unit."""
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        expected = next(argument for argument in arguments if argument is not type(None))
        return _convert(expected, name, value, place)
    if origin is tuple:
        return _strings(value, place)
    if origin is dict:
        return _table_of_tables(arguments[1], name, value, place)
    if is_dataclass(expected) and isinstance(expected, type):
        return value if isinstance(value, expected) else _build(expected, _fill(expected, value, place), place)
    return _scalar(expected, name, value, place)


def _table_of_tables(expected: Any, name: str, value: object, place: _Place) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise place.wrong(value, "a table")
    return {str(key): _convert(expected, name, item, place.below(str(key))) for key, item in value.items()}


def _strings(value: object, place: _Place) -> tuple[str, ...]:
    if isinstance(value, str) and place.text:
        return tuple(item for item in (part.strip() for part in value.split(",")) if item)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise place.wrong(value, "a list of strings")


def _scalar(expected: type, name: str, value: object, place: _Place) -> object:
    if expected is bool:
        return _boolean(value, place)
    if expected is str:
        if isinstance(value, str):
            return value
        raise place.wrong(value, "a string")
    if isinstance(value, str):
        value = _number(name, value, place)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        if expected is float:
            return float(value)
        if value == int(value):
            return int(value)
    raise place.wrong(value, _expected_number(expected, name))


def _boolean(value: object, place: _Place) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and place.text and value.lower() in TRUTH:
        return TRUTH[value.lower()]
    raise place.wrong(value, "true or false")


def _expected_number(expected: type, name: str) -> str:
    name = name.removesuffix("_max")
    for ending, example in (("_bytes_per_s", '"10 MiB/s"'), ("_bytes", '"64 MiB"'), ("_s", '"30s"')):
        if name.endswith(ending):
            return f"a number or text such as {example}"
    return "a whole number" if expected is int else "a number"


def _number(name: str, text: str, place: _Place) -> float | str:
    """The number that a text means, given the ending of the field's name; the text itself if none."""
    name = name.removesuffix("_max")
    try:
        if name.endswith("_bytes_per_s"):
            return parse_bytes(text.strip().removesuffix("/s"))
        if name.endswith("_bytes"):
            return parse_bytes(text)
        if name.endswith("_s"):
            return parse_duration(text)
        return float(text) if place.text else text
    except ValueError:
        return text
