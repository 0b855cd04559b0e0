from __future__ import annotations

import subprocess
import sys

import pytest

import yolo_cli


def python(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_importing_the_package_loads_nothing_heavy():
    program = "import sys; before = set(sys.modules); import yolo_cli; print(*set(sys.modules) - before)"
    loaded = set(python(program)[0].split())
    assert {name for name in loaded if name.startswith("yolo_cli")} == {"yolo_cli", "yolo_cli.version"}
    assert not loaded & {"numpy", "cv2", "keras", "tensorflow", "onnxruntime", "click", "yaml", "PIL"}


def test_loading_a_detector_needs_no_framework_for_training():
    program = (
        "import sys, yolo_cli; detector = yolo_cli.load_detector(engine='onnx', device='cpu'); "
        "detector('examples/cat.jpg').plot(); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    assert not set(python(program)[0].split()) & {"keras", "tensorflow", "click", "rich", "PIL", "pandas"}


def test_the_api_prints_nothing_and_leaves_logging_alone():
    program = (
        "import logging, yolo_cli; detector = yolo_cli.load_detector(engine='onnx'); "
        "detector(['examples', 'nope.jpg'], on_error=str); "
        "assert not logging.getLogger().handlers and logging.getLogger().level == logging.WARNING"
    )
    assert python(program) == ("", "")


@pytest.mark.parametrize("name", yolo_cli.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(yolo_cli, name)
    assert name in dir(yolo_cli)
    assert name == "__version__" or value.__doc__


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="module 'yolo_cli' has no attribute 'Yolo'"):
        yolo_cli.Yolo  # noqa: B018
    with pytest.raises(ImportError):
        from yolo_cli import YOLO  # noqa: F401


def test_detecting_in_one_image_imports_only_what_it_needs():
    """A cold start is a third imports: it may not grow by what videos, streams or tiles need."""
    program = (
        "import sys; from yolo_cli.cli import main\n"
        "sys.argv[1:] = 'detect examples/coffee.jpg --engine onnx --format json --no-save'.split()\n"
        "try: main()\n"
        "except SystemExit: print('loaded', *sys.modules)"
    )
    loaded = set(python(program)[0].partition("loaded ")[2].split())
    assert "onnxruntime" in loaded
    rare = {"hashlib", "subprocess", "zipfile", "shutil", "fractions", "traceback", "PIL", "rich", "yaml"}
    ours = {"detectors.regions", "detectors.tiling", "live.following", "live.streams", "cli.table"}
    assert not loaded & (rare | {f"yolo_cli.{name}" for name in ours})
    assert len([name for name in loaded if name.startswith("yolo_cli")]) <= 96
