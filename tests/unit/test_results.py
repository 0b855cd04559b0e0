from __future__ import annotations

import io
import json
import pickle
import sys

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.images import smooth
from yolo_cli.detections import Detections, class_ids
from yolo_cli.errors import UsageError
from yolo_cli.images import Image, read_image
from yolo_cli.render import DrawStyle, draw
from yolo_cli.results import Detection, Result

NAMES = ("cat", "dog", "traffic light", "salt, pepper")
BOXES = np.float32([[0, 0, 30, 40], [6, 4, 16, 24], [20, 10, 60, 30]])


@pytest.fixture
def result():
    """A dog, a cat and another dog on an image 60 wide and 40 high."""
    found = Detections(BOXES.copy(), np.float32([0.87654, 0.5, 0.25]), np.array([1, 0, 1]))
    return Result(Image(smooth(40, 60), "folder/a.png"), found, NAMES, {"read": 1.26, "infer": 20.04})


def test_its_repr_is_one_short_line(result):
    assert repr(result) == "<Result folder/a.png 60x40: 2 dogs, 1 cat>"
    assert repr(result[:0]) == "<Result folder/a.png 60x40: nothing>"
    assert repr(result[0]) == "<Detection dog 0.88 [0 0 30 40]>"


def test_iteration_gives_single_detections(result):
    assert list(result) == [
        Detection("dog", 1, pytest.approx(0.87654), (0.0, 0.0, 30.0, 40.0)),
        Detection("cat", 0, 0.5, (6.0, 4.0, 16.0, 24.0)),
        Detection("dog", 1, 0.25, (20.0, 10.0, 60.0, 30.0)),
    ]
    assert {type(value) for found in result for value in found.xyxy} == {float}
    assert len(result) == 3
    assert result[1] in result


def test_an_empty_result_is_false(result):
    assert result
    assert not result[:0]


@pytest.mark.parametrize(
    ("index", "kept"),
    [
        (slice(1, None), [1, 2]),
        (slice(None, None, -1), [2, 1, 0]),
        (np.array([True, False, True]), [0, 2]),
        ([True, False, True], [0, 2]),
        ([2, 0], [2, 0]),
        (np.array([-1]), [2]),
        ([], []),
    ],
)
def test_slices_masks_and_positions_give_results(result, index, kept):
    part = result[index]
    assert isinstance(part, Result)
    assert part.image is result.image
    assert part.time_ms == result.time_ms
    assert part.xyxy.tolist() == BOXES[kept].tolist()
    assert part.confidence.tolist() == result.confidence[kept].tolist()
    assert part.class_id.tolist() == [[1, 0, 1][i] for i in kept]


def test_integers_give_one_detection(result):
    assert result[-1] == result[2] == result[np.int64(2)] == list(result)[2]
    with pytest.raises(IndexError):
        result[3]
    with pytest.raises(IndexError):
        result[np.array([True])]


def test_boxes_in_other_forms(result):
    # width 60, height 40: the second box, 6 4 16 24, is 10 wide and 20 high
    assert result.xywh.tolist() == [[0, 0, 30, 40], [6, 4, 10, 20], [20, 10, 40, 20]]
    assert result.xyxyn[1].tolist() == pytest.approx([0.1, 0.1, 16 / 60, 0.6])
    assert result[:0].xywh.shape == result[:0].xyxyn.shape == (0, 4)


def test_class_names_are_those_of_the_detections_and_make_masks(result):
    assert result.class_names.tolist() == ["dog", "cat", "dog"]
    assert result[result.class_names == "dog"].confidence.tolist() == pytest.approx([0.87654, 0.25])
    assert result.counts == {"dog": 2, "cat": 1}


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ({"classes": "dog"}, [0, 2]),
        ({"classes": 0}, [1]),
        ({"classes": ["cat", 1]}, [0, 1, 2]),
        ({"classes": "cat,traffic light"}, [1]),
        ({"classes": []}, []),
        ({"conf": 0.25}, [0, 1]),  # more than it, as --conf
        ({"classes": "dog", "conf": 0.3}, [0]),
        ({}, [0, 1, 2]),
    ],
)
def test_filter(result, wanted, kept):
    assert result.filter(**wanted) == result[kept]


def test_a_class_that_is_not_there_is_named_with_the_nearest(result):
    with pytest.raises(UsageError, match=r"the model has no class 'dgo'; did you mean dog\?"):
        result.filter(classes="dgo")
    with pytest.raises(UsageError, match=r"no class '4'; it has cat, dog, traffic light, salt, pepper$"):
        result.filter(classes=4)
    assert class_ids("salt, pepper", NAMES) == (3,)
    with pytest.raises(UsageError, match=r"it has a, b, c, d, e, …$"):
        class_ids(-1, "abcdef")


def test_plot_is_what_the_command_line_draws(result):
    plotted = result.plot()
    assert plotted.shape == (40, 60, 3)
    assert (plotted == draw(result.image, result.detections, NAMES)).all()
    assert (result.image.rgb == smooth(40, 60)).all()
    bare = result.plot(line_width=2, labels=False, confidence=False)
    assert (bare == draw(result.image, result.detections, NAMES, DrawStyle(2, False, False))).all()


def test_save_writes_the_plot_to_a_file_or_into_a_folder(result, tmp_path):
    path = result.save(tmp_path / "b.png", labels=False)
    assert path == tmp_path / "b.png"
    assert (read_image(path).rgb == result.plot(labels=False)).all()
    assert result.save(tmp_path) == tmp_path / "a.png"
    nameless = Result(Image(smooth()), Detections(), NAMES)
    assert nameless.save(str(tmp_path)) == tmp_path / "image.png"
    with pytest.raises(UsageError, match=r"b.xyz: cannot write .xyz; use one of"):
        result.save(tmp_path / "b.xyz")


def test_notebooks_show_the_image_and_the_counts(result):
    assert (np.asarray(Pillow.open(io.BytesIO(result._repr_png_()))) == result.plot()).all()
    shown = result._repr_html_()
    assert shown.startswith('<img src="data:image/png;base64,iVBOR')
    assert shown.endswith("<br>Result folder/a.png 60x40: 2 dogs, 1 cat")
    named = Result(Image(smooth(), "<b>.png"), Detections(), NAMES)
    assert "&lt;b&gt;.png" in named._repr_html_()
    assert "<b>" not in named._repr_html_()


def test_a_notebook_shows_a_large_image_smaller(result):
    large = Result(Image(np.zeros((3000, 1500, 3), np.uint8)), Detections(), NAMES)
    assert Pillow.open(io.BytesIO(large._repr_png_())).size == (512, 1024)  # 1500 / 3000 * 1024 = 512


def test_json(result):
    assert json.loads(result.to_json()) == result.to_dict()
    assert result[:1].to_dict() == {
        "image": "folder/a.png",
        "width": 60,
        "height": 40,
        "detections": [
            {"class_id": 1, "class_name": "dog", "confidence": 0.8765, "box": [0.0, 0.0, 30.0, 40.0]}
        ],
        "time_ms": {"read": 1.3, "infer": 20.0},
    }


def test_pandas(result):
    frame = result.to_pandas()
    assert list(frame.columns) == [
        *("image", "width", "height", "class_id", "class_name", "confidence", "x1", "y1", "x2", "y2")
    ]
    assert frame.class_name.tolist() == ["dog", "cat", "dog"]
    assert frame[["x1", "y1", "x2", "y2"]].to_numpy().tolist() == BOXES.tolist()
    assert frame.groupby("class_name").confidence.max().to_dict() == pytest.approx(
        {"cat": 0.5, "dog": 0.87654}
    )
    assert len(result[:0].to_pandas()) == 0


def test_supervision(result):
    supervision = pytest.importorskip("supervision", reason="supervision is optional")
    found = result.to_supervision()
    assert isinstance(found, supervision.Detections)
    assert found.xyxy.tolist() == BOXES.tolist()
    assert found["class_name"].tolist() == ["dog", "cat", "dog"]
    assert len(found[found.confidence > 0.4]) == 2
    assert len(result[:0].to_supervision()) == 0


@pytest.mark.parametrize("library", ["pandas", "supervision"])
def test_a_library_that_is_missing_is_named_with_its_command(result, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=f"^{library} is not installed; run: pip install {library}$"):
        getattr(result, f"to_{library}")()


def test_results_survive_pickling(result):
    again = pickle.loads(pickle.dumps(result))
    assert again == result
    assert again.time_ms == result.time_ms
    assert pickle.loads(pickle.dumps(result[0])) == result[0]


def test_results_are_equal_by_value(result):
    same = Result(Image(smooth(40, 60), "folder/a.png"), result.detections[:], NAMES)
    assert same == result
    assert result[:2] != result
    assert Result(Image(smooth(40, 60), "b.png"), result.detections, NAMES) != result
    assert Result(Image(smooth(40, 60) // 2, "folder/a.png"), result.detections, NAMES) != result
    assert result != "result"
    with pytest.raises(TypeError, match="unhashable"):
        hash(result)
