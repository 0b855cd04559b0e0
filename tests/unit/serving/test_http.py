"""The routes: what the command line prints comes back, and whatever cannot be served gets one clear line."""

from __future__ import annotations

import http.client
import json
import re
import time

import jsonschema
import pytest
from click.testing import CliRunner

from tests.serving import PNG, SECONDS, Counting, address, form, request, serving
from tests.shared import ROOT
from yolo_cli.cli import main
from yolo_cli.config import ServeConfig
from yolo_cli.detectors import load_detector
from yolo_cli.errors import UsageError
from yolo_cli.serving import Server

OPENAPI = json.loads((ROOT / "yolo_cli" / "serving" / "openapi.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def server():
    with serving(Counting("one"), Counting("two"), Counting("two"), max_images=3, max_size=0.01) as found:
        yield found


def without_times(document):
    return re.sub(r'"time_ms": \{[^}]*\}', "", document)


def test_the_answer_is_what_the_command_line_prints():
    paths = sorted((ROOT / "examples").glob("*.jpg"))
    printed = CliRunner().invoke(
        main, ["detect", *map(str, paths), "--format", "json", "--no-save", "-q", "--engine", "onnx"]
    )
    body, kind = form(*((str(path), path.read_bytes()) for path in paths))
    with serving(load_detector("yolov4-tiny-coco", engine="onnx"), batch=1) as server:
        answer = request(server, body=body, Content_Type=kind)
    assert answer.status == 200
    assert without_times(answer.body.decode()) == without_times(printed.stdout)


def test_the_answer_follows_the_published_schema(server):
    schema = json.loads((ROOT / "docs" / "schemas" / "detect.schema.json").read_text(encoding="utf-8"))
    body, kind = form(("a.png", PNG), ("b.png", b"no image"))
    answer = request(server, body=body, Content_Type=kind)
    jsonschema.validate(answer.json, schema)
    schemas = request(server, "/openapi.json").json["components"]["schemas"]
    for name in re.findall(r"#/components/schemas/(\w+)", json.dumps([OPENAPI, schemas])):
        assert name in schemas
    assert schemas["detection"]["required"] == schema["$defs"]["detection"]["required"]


def test_one_image_and_what_it_is_called(server):
    image = request(server, "/detect?name=a.png", PNG).json["images"][0]
    assert (image["image"], image["width"], image["height"]) == ("a.png", 30, 20)
    assert image["detections"][0]["box"] == [0, 0, 30, 20]
    assert request(server, body=PNG).json["images"][0]["image"] == "-"


def test_one_broken_image_of_several_is_an_error_in_its_place(server):
    body, kind = form(("a.png", PNG), ("b.png", PNG[:40]), ("c.png", PNG))
    answer = request(server, body=body, Content_Type=kind)
    assert answer.status == 200
    assert ["error" in image for image in answer.json["images"]] == [False, True, False]
    assert answer.json["images"][1]["image"] == "b.png"


@pytest.mark.parametrize("data", [b"", b"words", PNG[:40], b"\xff\xd8\xff" + bytes(50), bytes(9000)])
def test_no_usable_image_is_422_with_a_line(server, data):
    answer = request(server, body=data)
    assert answer.status == 422
    assert "\n" not in answer.json["images"][0]["error"]


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded():
    with serving(max_megapixels=0.01) as server:
        header = PNG[:16] + (200).to_bytes(4) + (100).to_bytes(4) + PNG[24:]
        answer = request(server, body=header)
    assert answer.status == 422
    assert "200x100 pixels are more than 0.01 million" in answer.json["images"][0]["error"]


def test_a_model_and_options_can_be_chosen(server):
    assert request(server, "/detect?model=two", PNG).json["model"]["name"] == "two"
    assert request(server, "/detect?model=two-2&conf=.5&classes=cat&max_det=2", PNG).status == 200


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("model=three", 404, "there is no model 'three'; there are one, two, two-2"),
        ("conf=2", 400, "conf is 2.0, but must be between 0 and 1"),
        ("conf=x", 400, "must be a number"),
        ("conf=nan", 400, "conf is nan"),
        ("max_det=1.5", 400, "must be a number"),
        ("classes=horse", 400, "horse"),
        ("imgsz=9", 400, "there is no option 'imgsz'; the options are"),
        ("format=xml", 400, "there is no format 'xml'"),
    ],
)
def test_a_wrong_query_is_told(server, query, status, words):
    answer = request(server, f"/detect?{query}", PNG)
    assert answer.status == status
    assert words in answer.json["error"]


@pytest.mark.parametrize(
    ("form_name", "start"),
    [("ndjson", b'{"image": "-"'), ("csv", b"image,"), ("coco", b"["), ("yolo", b"# -")],
)
def test_other_formats(server, form_name, start):
    answer = request(server, f"/detect?format={form_name}", PNG)
    assert answer.status == 200
    assert answer.body.startswith(start)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"--edge--\r\n", "multipart/form-data; boundary=edge"),
        (b"nonsense", "multipart/form-data; boundary=edge"),
        (b"nonsense", "multipart/form-data"),
        (b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\ntext\r\n--edge--\r\n',
         "multipart/form-data; boundary=edge"),
        form(*[("a.png", PNG)] * 4),
    ],
)  # fmt: skip
def test_a_form_that_is_none_or_has_too_many_files_is_400(server, body, kind):
    answer = request(server, body=body, Content_Type=kind)
    assert (answer.status, list(answer.json)) == (400, ["error"])


def test_health_models_and_openapi(server):
    health, models = request(server, "/health"), request(server, "/models")
    assert (health.status, health.json["status"]) == (200, "ok")
    assert [model["name"] for model in models.json["models"]] == ["one", "two", "two-2"]
    schemas = OPENAPI["components"]["schemas"]
    for answer, name in ((health, "health"), (models, "models")):
        jsonschema.validate(answer.json, schemas[name])
    described = request(server, "/openapi.json").json
    assert described["paths"] == OPENAPI["paths"]
    assert described["info"]["version"] == health.json["version"]


def test_metrics_count_requests_images_and_batches():
    with serving(Counting("one")) as server:
        request(server, body=PNG)
        request(server, body=b"words")
        request(server, "/detect?model=none", b"")
        text = request(server, "/metrics").body.decode()
    for line in (
        'yolo_requests_total{status="200"} 1.0',
        'yolo_requests_total{status="422"} 1.0',
        'yolo_requests_total{status="404"} 1.0',
        'yolo_images_total{model="one",outcome="detected"} 1.0',
        'yolo_images_total{model="one",outcome="failed"} 1.0',
        "yolo_batch_images_count 1.0",
        "yolo_requests_underway 0.0",
    ):
        assert line in text.splitlines()


def test_what_is_kept_open_is_answered_at_once(server):
    """With Nagle's algorithm, each body waits some 40 ms until the client has acknowledged the header."""
    connection, seconds = http.client.HTTPConnection(*address(server), timeout=SECONDS), []
    for _ in range(40):
        start = time.perf_counter()
        connection.request("GET", "/health")
        assert connection.getresponse().read()
        seconds.append(time.perf_counter() - start)
    connection.close()
    assert min(seconds[20:]) < 0.03  # the first ones are acknowledged at once


def test_the_page_allows_nothing_from_elsewhere(server):
    answer = request(server, "/")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    ("name", "value"),
    [("token", "short"), ("token", "with a space in it"), ("port", 70000), ("batch", 0), ("queue", 1.5),
     ("timeout", 0), ("host", "0.0.0.0")],
)  # fmt: skip
def test_limits_that_make_no_sense_are_refused(name, value):
    with pytest.raises(UsageError, match=name):
        ServeConfig(**{name: value})


def test_other_addresses_need_a_token():
    assert ServeConfig(host="::1").is_local
    assert ServeConfig(host="localhost").is_local
    assert not ServeConfig(host="0.0.0.0", token="12345678").is_local


def test_an_address_that_cannot_be_had_is_told(server):
    port = int(server.url.rsplit(":", 1)[1])
    for config in (ServeConfig(port=port), ServeConfig(host="192.0.2.1", token="12345678")):
        with pytest.raises(UsageError, match="cannot serve at host"):
            Server(None, config)
