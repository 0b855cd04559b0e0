"""Put a changed module into the running program, where others have imported from the old one."""

from __future__ import annotations

import gc
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import CodeType, FunctionType, MappingProxyType, ModuleType

import numpy as np

__all__ = ["NotImportableError", "transplant"]

VALUES = (int, float, str, tuple, frozenset, set, list, dict, MappingProxyType, np.ndarray)


class NotImportableError(Exception):
    """The changed module fails when it is imported."""


def transplant(module: ModuleType, old: CodeType, new: CodeType) -> None:
    """Give the module's functions the new code, and its constants, defaults and fields the new values.

    Args:
        module: as imported.
        old: its source, compiled.
        new: the changed source, compiled.
    """
    scratch = {name: vars(module)[name] for name in ("__name__", "__package__", "__file__", "__spec__")}
    try:
        exec(new, scratch)
    except Exception as fault:
        raise NotImportableError from fault
    changed = dict(_changed(old, new))
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and function.__code__ in changed:
            function.__code__ = changed[function.__code__]
    for name, value in scratch.items():
        _values(vars(module).get(name), value, name, module)


def _changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Pairs of code that differ, outermost first."""
    if old == new:
        return
    yield old, new
    inner: dict[tuple[str, int], list[CodeType]] = defaultdict(list)
    for code in new.co_consts:
        if isinstance(code, CodeType):
            inner[code.co_qualname, code.co_firstlineno].append(code)
    for code in old.co_consts:
        if isinstance(code, CodeType) and (same := inner[code.co_qualname, code.co_firstlineno]):
            yield from _changed(code, same.pop(0))


def _plain(value: object) -> object:
    """The function below decorators."""
    while True:
        names = (name for name in ("fget", "func", "__wrapped__") if hasattr(value, name))
        inner = getattr(value, next(names, ""), None)
        if inner is None or isinstance(value, type):
            return value
        value = inner


def _values(old: object, new: object, name: str, owner: object) -> None:
    old, new = _plain(old), _plain(new)
    if isinstance(old, FunctionType) and isinstance(new, FunctionType):
        _defaults(old, new)
    elif isinstance(old, type) and isinstance(new, type) and old is not new:
        for attribute, value in list(vars(new).items()):
            _values(vars(old).get(attribute), value, attribute, old)
    elif not name.startswith("__") and repr(old) != repr(new):
        _constant(old, new, name, owner)


def _constant(old: object, new: object, name: str, owner: object) -> None:
    if isinstance(old, VALUES):
        for place in [owner] if isinstance(owner, type) else list(sys.modules.values()):
            if getattr(place, "__dict__", {}).get(name) is old:
                setattr(place, name, new)
    elif is_dataclass(old) and is_dataclass(new):  # such as COCO's protocol, which others hold
        for field in fields(old):
            object.__setattr__(old, field.name, getattr(new, field.name))


def _defaults(old: FunctionType, new: FunctionType) -> None:
    for attribute in ("__defaults__", "__kwdefaults__"):
        if repr(getattr(old, attribute)) != repr(getattr(new, attribute)):
            setattr(old, attribute, getattr(new, attribute))
    if old.__code__.co_filename == "<string>":  # made by dataclasses
        old.__code__ = new.__code__
