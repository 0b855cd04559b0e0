"""What `yolo detect` prints: JSON, NDJSON, CSV, COCO and YOLO lines."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from tests.cli.expected import A, without_times


def test_json(cli):
    done = cli("detect", "p/a.jpg", "bad.jpg", "--format", "json", "--no-save")
    document = json.loads(done.stdout)
    assert document["model"] == {
        "name": "fake",
        "input_size": [416, 416],
        "class_names": ["cat", "dog", "traffic light"],
    }
    good, bad = document["images"]
    assert without_times(good) == A
    assert sorted(bad) == ["error", "image"]
    assert bad["image"] == "bad.jpg"
    assert bad["error"].startswith("bad.jpg: holds text, not an image")
    assert not Path("runs").exists()


def test_json_keeps_to_its_schema(cli):
    for form in ("json", "ndjson"):
        out = cli("detect", "p", "bad.jpg", "--format", form, "--no-save").stdout
        records = (
            json.loads(out)["images"] if form == "json" else [json.loads(line) for line in out.splitlines()]
        )
        assert len(records) == 4
        for record in records:
            check_record(record)


def check_record(record):
    """The object of one image, as the documentation gives it."""
    if "error" in record:
        assert {key: type(value) for key, value in record.items()} == {"image": str, "error": str}
        return
    kinds = {"image": str, "width": int, "height": int, "detections": list, "time_ms": dict}
    assert {key: type(value) for key, value in record.items()} == kinds
    for found in record["detections"]:
        kinds = {"class_id": int, "class_name": str, "confidence": float, "box": list}
        assert {key: type(value) for key, value in found.items()} == kinds
        assert [type(edge) for edge in found["box"]] == [float] * 4
        assert 0 <= found["confidence"] <= 1
    assert list(record["time_ms"]) == ["read", "prepare", "infer", "post"]
    assert all(isinstance(value, float) for value in record["time_ms"].values())


def test_times_are_shared_among_a_batch(cli):
    out = cli("detect", "p", "--format", "ndjson", "--no-save", "--batch", "2").stdout
    times = [json.loads(line)["time_ms"] for line in out.splitlines()]
    # The fake takes 20 ms a call: for two images 10 ms each, then 20 ms for the third.
    assert [time["infer"] for time in times] == [10.0, 10.0, 20.0]
    assert cli.fake.sizes == [2, 1]


def test_ndjson_has_a_line_an_image_in_order(cli):
    done = cli("detect", "p/a.jpg", "gone.jpg", "p/b 2.png", "--format", "ndjson", "--no-save")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["image"] for record in records] == ["p/a.jpg", "gone.jpg", "p/b 2.png"]
    assert without_times(records[0]) == A


def test_csv(cli):
    done = cli("detect", "p/a.jpg", "bad.jpg", "p/b 2.png", "--format", "csv", "--no-save")
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0] == [
        "image",
        "width",
        "height",
        "class_id",
        "class_name",
        "confidence",
        "x1",
        "y1",
        "x2",
        "y2",
    ]
    assert rows[1] == ["p/a.jpg", "60", "40", "1", "dog", "0.8765", "0.0", "0.0", "30.0", "40.0"]
    assert [row[0] for row in rows[1:]] == ["p/a.jpg"] * 2 + ["p/b 2.png"] * 2


def test_coco(cli):
    done = cli("detect", "p/a.jpg", "p/10.jpg", "--format", "coco", "--no-save")
    entries = json.loads(done.stdout)
    # Class 1 of three is category 2; the box 0, 0, 30, 40 has the width 30 and the height 40.
    assert entries[0] == {"image_id": "a.jpg", "category_id": 2, "bbox": [0, 0, 30, 40], "score": 0.8765}
    assert [entry["image_id"] for entry in entries] == ["a.jpg"] * 2 + [10] * 2


def test_coco_counts_detections_as_a_box_may_have_several_classes(cli):
    said = [cli("detect", "p", "--no-save", *words).stderr for words in ((), ("--format", "coco"))]
    assert said[0].startswith("3 images, 6 objects, ")
    assert said[1].startswith("3 images, 6 detections (all classes of each box), ")


def test_coco_of_nothing_is_an_empty_list(cli):
    assert json.loads(cli("detect", "p", "--conf", "0.99", "--format", "coco", "--no-save").stdout) == []


def test_yolo_lines(cli):
    done = cli("detect", "p/a.jpg", "--format", "yolo", "--no-save")
    # The dog: centre (15, 20) of 60 x 40 is (0.25, 0.5), size (30, 40) is (0.5, 1); cat: (5, 10), (10, 20).
    assert done.stdout.splitlines() == [
        "# p/a.jpg",
        "1 0.250000 0.500000 0.500000 1.000000 0.8765",
        "0 0.083333 0.250000 0.166667 0.500000 0.4000",
    ]
