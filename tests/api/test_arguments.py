"""Arguments of a wrong type, and text files in another encoding, at every verb of the API."""

from __future__ import annotations

import pytest

import yolo_cli
from tests.made_sets import write_yolo
from yolo_cli import UsageError, UserError
from yolo_cli.datasets import open_dataset

DATA = ("evaluate", "calibrate", "compare", "lint", "train", "fit_anchors")


@pytest.mark.parametrize("verb", DATA)
@pytest.mark.parametrize("data", [None, 5, 0.5, b"pets"])
def test_data_that_is_not_a_path(tmp_path, monkeypatch, verb, data):
    monkeypatch.chdir(tmp_path)
    says = (
        "data PATH names" if (verb, data) == ("train", None) else f"data: {type(data).__name__} is not a path"
    )
    with pytest.raises(UsageError, match=says):
        getattr(yolo_cli, verb)(data)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: yolo_cli.load_detector(5), "weights"),
        (lambda: yolo_cli.load_detector(None), "weights"),
        (lambda: yolo_cli.evaluate("pets", 0), "weights"),
        (lambda: yolo_cli.calibrate("pets", 7), "weights"),
        (lambda: yolo_cli.explain("pets/images/train/a.jpg", (1, 1), 5), "weights"),
        (lambda: yolo_cli.read_image(None), "path"),
        (lambda: yolo_cli.evaluate("pets", detections=5), "detections"),
        (lambda: yolo_cli.evaluate("pets", baseline=5), "baseline"),
        (lambda: yolo_cli.train("pets", out=5), "out"),
        (lambda: yolo_cli.train(resume=5), "resume"),
        (lambda: yolo_cli.lint("pets", fix=5), "fix"),
        (lambda: yolo_cli.fit_anchors("pets", 2, against=5), "against"),
        (lambda: yolo_cli.fit_anchors("pets", 2).save(5), "path"),
        (lambda: yolo_cli.import_model([None, "b"], "c", "d"), "files"),
        (lambda: yolo_cli.import_model(["a", "b"], "c", None), "out"),
        (lambda: yolo_cli.import_model(["a", "b"], "c", "d", card=5), "card"),
    ],
)
def test_other_paths_that_are_none(tmp_path, monkeypatch, call, name):
    monkeypatch.chdir(tmp_path)
    write_yolo(tmp_path / "pets")
    with pytest.raises(UsageError, match=rf"^{name}: \w+ is not a path; give a str or a Path$"):
        call()


@pytest.mark.parametrize("verb", ["lint", "evaluate", "calibrate", "train"])
def test_text_files_in_another_encoding(tmp_path, monkeypatch, verb):
    """``é`` is 0xE9 in cp1252, which is not UTF-8."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("yolo_cli.training.train", lambda job, *_, **__: open_dataset(job.data))
    data = write_yolo(tmp_path / "pets")
    text = "train: images/train\nval: images/val\nnames: [café, dog]\n"
    (data / "data.yaml").write_text(text, encoding="cp1252")
    run = getattr(yolo_cli, verb)
    with pytest.raises(UserError, match="is not text in UTF-8"):
        run(data)
    with pytest.raises(UsageError, match="encoding cp1253x: is not known"):
        run(data, encoding="cp1253x")
    if verb == "lint":
        assert run(data, encoding="cp1252").dataset.class_names == ("café", "dog")
    elif verb == "evaluate":
        assert run(data, encoding="cp1252").report.per_class[0].class_name == "café"
    elif verb == "train":
        assert run(data, encoding="cp1252").class_names == ("café", "dog")
    else:
        with pytest.raises(UserError, match="too few"):
            run(data, encoding="cp1252")
