"""The locks fit pyproject.toml, name no registry, and the docs list the licences of what is installed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.shared import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
OPTIONAL = [name for name in EXTRAS if name != "dev"]
LICENCES = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")

# What permits use with any program, as metadata spells it; LGPL permits that to a program that only links.
PERMISSIVE = re.compile(
    r"(BSD|FreeBSD|0BSD|MIT|Apache|Python Software Foundation|PSF|Zlib|CC0|ISC|HPND|MPL|LGPL|"
    r"Mozilla Public License 2\.0)\b"
)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name: str) -> dict[str, set[Version]]:
    """The versions of each package in a lock; a package may have one for each range of Python."""
    found: dict[str, set[Version]] = {}
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    for package, version in re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^ ;\\]+)", text, flags=re.MULTILINE):
        found.setdefault(canonical(package), set()).add(Version(version))
    return found


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("detect.txt", (ROOT / "requirements" / "detect.in").read_text(encoding="utf-8").splitlines()),
        ("dev.txt", PROJECT["dependencies"] + EXTRAS["dev"]),
    ],
)
def test_a_lock_has_what_is_asked_for(lock, wanted):
    """After a change of pyproject.toml, docs/install.md has the command that makes the lock again."""
    versions = locked(lock)
    for requirement in [Requirement(line) for line in wanted if line and not line.startswith("#")]:
        found = versions.get(canonical(requirement.name), set())
        assert found, requirement
        assert all(version in requirement.specifier for version in found), requirement


def test_detection_asks_for_what_pyproject_asks():
    """`detect.in` has the same lower bounds; OpenCV without windows takes the place of OpenCV."""
    lines = (ROOT / "requirements" / "detect.in").read_text(encoding="utf-8").splitlines()
    asked = {line.replace("-headless", "") for line in lines if not line.startswith("#")}
    assert asked <= {*PROJECT["dependencies"], *EXTRAS["serve"]}
    assert set(EXTRAS["serve"]) <= asked


@pytest.mark.parametrize("lock", ["detect.txt", "dev.txt"])
def test_a_lock_has_hashes_and_names_no_registry(lock):
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in re.sub(r"^ +# via.*|^ +# .*", "", text, flags=re.MULTILINE)
    for entry in re.split(r"\n(?=[a-zA-Z])", text):
        assert "--hash=sha256:" in entry, entry


def test_the_image_is_built_from_the_lock_and_runs_as_nobody():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes -r /src/requirements/detect.txt" in text
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, flags=re.MULTILINE)
    assert "HEALTHCHECK" in text


def closure(wanted: list[str]) -> dict[str, metadata.Distribution]:
    """What is installed for requirements, and what those need, by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [Requirement(line) for line in wanted]
    while waiting:
        requirement = waiting.pop()
        environments = [{"extra": extra} for extra in ("", *requirement.extras)]
        if requirement.marker and not any(requirement.marker.evaluate(one) for one in environments):
            continue
        name = canonical(requirement.name)
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # an extra that is not installed here
            continue
        for line in found[name].requires or []:
            needed = Requirement(line)
            if not needed.marker or any(needed.marker.evaluate(one) for one in environments):
                waiting.append(needed)
    return found


def licence(package: metadata.Distribution) -> str:
    """What the metadata says: an SPDX expression, else classifiers, else the first line of the text."""
    facts = package.metadata
    classifiers = [line for line in facts.get_all("Classifier", []) if line.startswith("License ::")]
    names = ", ".join(line.rpartition(" :: ")[2] for line in classifiers)
    return facts.get("License-Expression") or names or (facts.get("License") or "").strip().split("\n")[0]


RUN_TIME = closure(PROJECT["dependencies"] + [line for name in OPTIONAL for line in EXTRAS[name]])


@pytest.mark.parametrize("name", sorted(RUN_TIME))
def test_a_run_time_package_has_the_licence_that_the_docs_list(name):
    """A new package needs a row in docs/licences.md, by a person who has looked."""
    row = re.search(rf"^\| {re.escape(name)} \| ([^|]+) \|", LICENCES, flags=re.MULTILINE)
    assert row, f"{name}: {licence(RUN_TIME[name])}"
    said, listed = licence(RUN_TIME[name]), row[1]
    assert PERMISSIVE.search(listed), listed
    assert not said or PERMISSIVE.search(said), said
    assert not re.search(r"(?<!L)GPL", f"{said} {listed}") or name == "av"


def test_the_list_has_no_package_that_is_not_used():
    """Extras that are not installed, such as `gpu`, are excused."""
    rows = set(re.findall(r"^\| ([a-z0-9-]+) \|", LICENCES, flags=re.MULTILINE)) - {"package"}
    excused = {canonical(Requirement(line).name) for name in OPTIONAL for line in EXTRAS[name]}
    assert rows <= set(RUN_TIME) | excused | set(locked("dev.txt"))


_FAKE = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
sys.meta_path.insert(0, Finder())
"""


def test_where_libgl_is_missing_the_command_says_what_to_install(tmp_path):
    code = f"{_FAKE}from yolo_cli.cli import main\nmain()"
    command = [sys.executable, "-c", code, "detect", "a.jpg"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert done.returncode == 2
    assert done.stderr == (
        "error: OpenCV needs libGL.so.1; install it (Debian: libgl1), or opencv-python-headless in place of"
        " opencv-python\n"
    )


def test_where_libgl_is_missing_python_says_it_too():
    code = f"{_FAKE}import yolo_cli\ntry:\n  yolo_cli.draw\nexcept yolo_cli.UserError as e: print(e)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("OpenCV needs libGL.so.1"), done.stderr
