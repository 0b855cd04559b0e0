"""The models that `yolo weights fetch` knows by name: where their authors publish them, and their hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_cli.config import bundled
from yolo_cli.downloads import Digest
from yolo_cli.errors import UsageError
from yolo_cli.text import did_you_mean, read_yaml
from yolo_cli.weights.about import card_fields

__all__ = ["ZooModel", "read_zoo", "zoo_model"]


@dataclass(frozen=True, slots=True)
class ZooModel:
    """A published model.

    Attributes:
        name: what it is fetched and saved as.
        url: the address of its authors' file.
        names: the file with its class names.
        cfg: the file with its network, for Darknet's ``.weights``; else None.
        digest: the hash of the file; None if none is known.
        size: bytes of the file; None if not known.
        about: fields of its model card.
    """

    name: str
    url: str
    names: Path
    cfg: Path | None
    digest: Digest | None
    size: int | None
    about: Mapping[str, Any]


def read_zoo() -> dict[str, ZooModel]:
    """The models of ``weights/zoo.yaml`` by name."""
    path = bundled("weights") / "zoo.yaml"
    return {name: _model(name, entry, path) for name, entry in read_yaml(path)["models"].items()}


def zoo_model(name: str) -> ZooModel:
    """The model of that name.

    Raises:
        UsageError: if there is none.
    """
    zoo = read_zoo()
    if name not in zoo:
        hint = did_you_mean(name, zoo, f"there are {', '.join(zoo)}")
        raise UsageError(f"no model to fetch is called '{name}'; {hint}; or give an address and --sha256")
    return zoo[name]


def _model(name: str, entry: Mapping[str, Any], path: Path) -> ZooModel:
    files = path.parent / "zoo"
    digests = [Digest(algorithm, entry[algorithm]) for algorithm in ("sha256", "sha1") if algorithm in entry]
    return ZooModel(
        name,
        entry["url"],
        files / entry["names"],
        files / entry["cfg"] if "cfg" in entry else None,
        digests[0] if digests else None,
        entry.get("bytes"),
        card_fields(entry["card"], f"{path}: {name}"),
    )
