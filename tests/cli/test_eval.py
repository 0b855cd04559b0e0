"""`yolo eval` from the outside: what it prints, what it saves, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from tests.images import encode, smooth
from tests.made_sets import BOXES, NAMES, coco_json, write_coco, write_yolo
from yolo_cli.cli import main
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors.protocol import Times


@dataclass(frozen=True)
class Fake:
    """Finds what is there on every image of the made sets, by its name; class names may be others."""

    config: DetectConfig = field(default_factory=DetectConfig)
    class_names: tuple[str, ...] = NAMES
    input_size: tuple[int, int] = (32, 64)
    stop_at: str = ""
    confidence: float = 0.9
    source: dict[str, str] = field(default_factory=dict)  # what its card says of its training data
    seen: list[str] = field(default_factory=list)

    @property
    def card(self):
        return SimpleNamespace(name="fake", resize="letterbox", suppression="iou", source=self.source)

    def detect_timed(self, images):
        return [self._find(image) for image in images], Times(1.0, 20.0, 3.0)

    def _find(self, image):
        stem = Path(image.name).stem
        if stem == self.stop_at:
            raise KeyboardInterrupt
        self.seen.append(stem)
        rows = BOXES.get(stem, [])
        return Detections(
            np.array([box for _, box in rows], np.float32).reshape(-1, 4),
            np.full(len(rows), self.confidence, np.float32),
            np.array([k for k, _ in rows], np.int64),
        )


@dataclass
class Cli:
    fake: Fake

    def __call__(self, *words):
        return CliRunner().invoke(main, [str(word) for word in words], prog_name="yolo")

    def figures(self, *words):
        done = self(*words, "--format", "json")
        assert done.exit_code in (0, 5), done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def cli(tmp_path, monkeypatch):
    """`yolo` in a folder with the made set as ``yolo`` and ``coco``; the model is a fake."""
    monkeypatch.chdir(tmp_path)
    write_yolo(tmp_path / "yolo")
    write_coco(tmp_path / "coco")
    run = Cli(Fake())
    monkeypatch.setattr(
        "yolo_cli.detectors.load_detector", lambda **named: replace(run.fake, config=named["config"])
    )
    return run


def results(path="r.json", **changes):
    """COCO results that find c.jpg's dog (3) and d.jpg's cat (7)."""
    rows = [
        {"image_id": 100, "category_id": 3, "bbox": [4, 16, 8, 32], "score": 0.9},
        {"image_id": 101, "category_id": 7, "bbox": [32, 24, 32, 24], "score": 0.8},
    ]
    rows[0].update(changes)
    Path(path).write_text(json.dumps(rows))
    return path


def test_json_has_the_fields_that_are_documented(cli):
    value = cli.figures("eval", "--data", "yolo")
    assert {
        "protocol", "images", "map50", "map50_95", "map", "per_class", "precision", "recall", "confidence"
    } <= set(value)  # fmt: skip
    assert (value["images"], value["map"], value["map50"], value["map50_95"]) == (2, 1.0, 1.0, 1.0)
    assert {(it["class_name"], it["ap"], it["ground_truths"]) for it in value["per_class"]} == {
        ("cat", 1.0, 1),
        ("dog", 1.0, 1),
    }
    rules = value["protocol"]
    assert {rules["name"], rules["interpolation"]} == {"coco", "101 points"}
    assert (rules["confidence_floor"], rules["suppression"], rules["max_detections"]) == (
        0.001,
        "iou 0.45",
        300,
    )
    assert (rules["resize"], len(rules["data_hash"])) == ("letterbox 32x64", 16)
    assert rules["difficult"] == "ignored"


def test_text_and_files(cli):
    done = cli("eval", "--data", "yolo", "--plots")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("fake on yolo, split val: 2 images, 2 objects\nevaluated by coco")
    assert "saved in runs/eval; open runs/eval/report.html in a browser" in done.stderr
    names = {path.name for path in Path("runs/eval").iterdir()}
    assert names == {"detections.ndjson", "run.json", "report.html", "plots"}
    assert len(list(Path("runs/eval/plots").iterdir())) == 8
    assert "runs/eval2" in cli("eval", "--data", "yolo").stderr


def test_nothing_is_saved_if_so_wished(cli):
    done = cli("eval", "--data", "yolo", "--no-save", "-q")
    assert (done.exit_code, done.stderr) == (0, "")
    assert not Path("runs").exists()


def test_a_split_is_chosen(cli):
    assert cli.figures("eval", "--data", "yolo", "--split", "train", "--no-save")["images"] == 2
    done = cli("eval", "--data", "yolo", "--split", "test")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    Path("yolo/data.yaml").write_text("train: images/train\ntest: images/val\nnames: [cat, dog]\n")
    done = cli("eval", "--data", "yolo")
    assert done.exit_code == 2
    assert done.stderr == "error: yolo: has train and test, and no val; choose one with --split\n"


def test_the_images_of_the_config_are_judged_by_the_overlap_that_is_asked_for(cli):
    value = cli.figures("eval", "--data", "yolo", "--iou", "0.75", "--protocol", "voc07", "--no-save")
    assert (value["protocol"]["iou"], value["protocol"]["interpolation"]) == (0.75, "11 points")
    assert value["coco"] == {}


def test_classes_go_by_name_and_by_map(cli):
    cli.fake = Fake(class_names=("caat", "dog"))
    done = cli("eval", "--data", "yolo", "--no-save")
    assert "1 of 2 classes of the data are unknown to the model, and count as missed: cat" in done.stderr
    assert "some of these may go by other names: --map 'caat=cat'" in done.stderr
    assert "1 classes of the model are not in the data, and are left out: caat" in done.stderr
    assert cli.figures("eval", "--data", "yolo", "--no-save")["map50"] == 0.5
    assert cli.figures("eval", "--data", "yolo", "--no-save", "--map", "caat=cat")["map50"] == 1.0
    only = cli.figures("eval", "--data", "yolo", "--no-save", "--classes", "1")
    assert [it["class_name"] for it in only["per_class"]] == ["dog"]


def test_classes_that_disagree_wholly_are_one_line(cli):
    cli.fake = Fake(class_names=("x", "y"))
    done = cli("eval", "--data", "yolo", "--no-save")
    assert done.exit_code == 3
    why = "no class of the model (x, y) is one of the data (cat, dog)"
    assert done.stderr == f"error: {why}; say which is which with --map old=new\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--iou", "0"], "--iou is 0.0, and must lie above 0 and at most at 1"),
        (["--fail-under", "map50"], "--fail-under map50: must be NAME=VALUE"),
        (["--fail-under", "mapp=0.5"], "there is no figure 'mapp'; did you mean map?"),
        (["--map", "a"], "--map a: must be OLD=NEW"),
        (["--map", "qq=cat"], "--map: the model has no class 'qq'"),
        (["--classes", "bird"], "--classes: the data has no class 'bird'"),
        (["--names", "f"], "--names goes with --detections"),
        (["--detections", "r.json", "--weights", "w"], "leave out --weights"),
        (["--cross-check", "--protocol", "voc10"], "--cross-check goes with --protocol coco only"),
        (["--fail-if-worse"], "--fail-if-worse needs a --baseline"),
        (["--resume", "a", "--out", "b"], "--resume names the run's folder by itself"),
        (["--plots", "--no-save"], "--plots are saved"),
        (["--target-precision", "1.5"], "--target-precision must lie above 0 and at most at 1"),
        (["--conf", "7"], "--conf must lie between 0 and 1"),
    ],
)
def test_wrong_usage_is_one_line(cli, words, says):
    save = [] if {"--resume", "--plots"} & set(words) else ["--no-save"]
    done = cli("eval", "--data", "yolo", *words, *save)
    assert done.exit_code == 2
    assert says in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_gate_decides_the_exit_code(cli):
    met = cli("eval", "--data", "yolo", "--no-save", "--fail-under", "map50=1", "--fail-under", "recall=0.5")
    assert met.exit_code == 0
    cli.fake = Fake(class_names=("cat", "hound"))
    missed = cli("eval", "--data", "yolo", "--no-save", "-q", "--fail-under", "map50=0.60")
    assert (missed.exit_code, missed.stderr) == (4, "error: map50 is 0.5000, and must be at least 0.6\n")
    assert "mAP50" in missed.stdout  # the figures are told all the same


def test_a_baseline_is_compared_with(cli):
    cli("eval", "--data", "yolo", "--split", "train")
    same = cli.figures("eval", "--data", "yolo", "--split", "train", "--no-save", "--baseline", "runs/eval")
    assert same["baseline"]["map50"]["verdict"] == "not distinguishable"
    assert same["baseline"]["map50"]["difference"] == 0
    text = cli("eval", "--data", "yolo", "--split", "train", "--baseline", "runs/eval/run.json")
    assert "against the baseline" in text.stdout
    assert "not distinguishable" in Path("runs/eval2/report.html").read_text()


def test_a_run_that_is_worse_can_fail_a_build(cli):
    cli("eval", "--data", "yolo", "--split", "train")
    cli.fake = Fake(class_names=("dog", "cat"))
    words = ("eval", "--data", "yolo", "--split", "train", "--no-save", "-q", "--baseline", "runs/eval")
    assert cli(*words).exit_code == 0
    # Of two images one is empty, and drawn alone in a quarter of the draws; it has no figure then.
    done = cli(*words, "--fail-if-worse")
    assert done.exit_code == 4
    assert "error: map50 is worse than the baseline's" in done.stderr


@pytest.mark.parametrize("text", ["", "{}", '{"record": {"images": 3}}', "[1"])
def test_a_baseline_that_is_none_is_one_line(cli, text):
    Path("b.json").write_text(text)
    done = cli("eval", "--data", "yolo", "--no-save", "--baseline", "b.json")
    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
    assert "b.json: is no run.json of yolo eval" in done.stderr


def test_a_baseline_on_other_images_is_one_line(cli):
    cli("eval", "--data", "yolo", "--split", "train")
    done = cli("eval", "--data", "yolo", "--no-save", "-q", "--baseline", "runs/eval")
    assert done.exit_code == 3
    assert done.stderr == "error: the two runs were evaluated on different images, and cannot be compared\n"


def test_thresholds_for_a_precision(cli):
    value = cli.figures("eval", "--data", "yolo", "--no-save", "--target-precision", "0.95")
    # float32's 0.9 is a hair below 0.9, so three decimals that keep it are 0.899.
    assert value["thresholds"]["cat"] == pytest.approx({"confidence": 0.899, "precision": 1.0, "recall": 1.0})
    assert (
        "for precision 0.95"
        in cli("eval", "--data", "yolo", "--no-save", "--target-precision", "0.95").stdout
    )


def test_the_cross_check_shows_twelve_figures(cli):
    value = cli.figures("eval", "--data", "coco", "--no-save", "--cross-check")
    assert len(value["cross_check"]) == 12
    assert all(
        it["ours"] == it["pycocotools"] or abs(it["ours"] - it["pycocotools"]) < 1e-9
        for it in value["cross_check"].values()
    )
    assert "pycocotools" in cli("eval", "--data", "coco", "--no-save", "--cross-check").stdout


def test_an_interrupted_run_goes_on(cli):
    cli.fake = Fake(stop_at="d")
    done = cli("eval", "--data", "yolo")
    assert done.exit_code == 130
    assert done.stderr.splitlines()[-1] == (
        "error: interrupted; what is done is kept; go on with the same options and --resume runs/eval"
    )
    cli.fake = Fake()
    assert cli.figures("eval", "--data", "yolo", "--resume", "runs/eval")["map50"] == 1.0
    assert cli.fake.seen == ["d"]  # c was done before
    other = cli("eval", "--data", "yolo", "--resume", "runs/eval", "--nms-iou", "0.6")
    assert other.exit_code == 3
    assert "was made with nms_iou 0.45, and not 0.6" in other.stderr


def test_an_image_that_cannot_be_read_is_named_and_not_judged(cli):
    Path("yolo/images/val/d.jpg").write_bytes(encode(smooth(), "JPEG")[:300])
    done = cli("eval", "--data", "yolo", "--format", "json")
    assert done.exit_code == 5
    assert "error: images/val/d.jpg" in done.stderr
    assert json.loads(done.stdout)["images"] == 1
    Path("yolo/images/val/c.jpg").write_bytes(b"x")
    done = cli("eval", "--data", "yolo", "--no-save")
    assert done.exit_code == 3
    assert done.stderr.splitlines()[-1].endswith("none of its 2 images could be read")


def test_a_results_file_of_another_program(cli):
    value = cli.figures("eval", "--data", "coco", "--detections", results())
    assert (value["model"], value["map50"], value["images"]) == ("r.json", 1.0, 2)
    assert value["protocol"]["suppression"] is None  # not known
    assert not Path("runs/eval/detections.ndjson").exists()


def test_its_classes_may_have_a_list_of_their_own(cli):
    """hound and cat are categories 1 and 2 of the other program."""
    Path("names.txt").write_text("hound\ncat\n")
    rows = json.loads(Path(results()).read_text())
    for row, category in zip(rows, (1, 2), strict=True):
        row["category_id"] = category
    Path("r.json").write_text(json.dumps(rows))
    words = ("eval", "--data", "coco", "--detections", "r.json", "--names", "names.txt", "--no-save")
    assert cli.figures(*words)["map50"] == 0.5
    assert cli.figures(*words, "--map", "hound=dog")["map50"] == 1.0


def test_a_folder_of_labels_of_another_program(cli):
    Path("labels").mkdir()
    Path("labels/c.txt").write_text("1 0.25 0.5 0.25 0.5 0.9\n")
    value = cli.figures("eval", "--data", "yolo", "--detections", "labels", "--no-save")
    assert {it["class_name"]: it["ap"] for it in value["per_class"]} == {"cat": 0.0, "dog": 1.0}


def test_what_the_data_does_not_know_is_left_out_and_named(cli):
    results(image_id=999)
    done = cli("eval", "--data", "coco", "--detections", "r.json", "--no-save", "-q")
    assert done.exit_code == 5
    line = "error: r.json: 1 of 2 boxes left out: the data does not know their image_id; the first is 999\n"
    assert done.stderr == line
    results(category_id=55)
    done = cli("eval", "--data", "coco", "--detections", "r.json", "--no-save", "-q")
    assert (done.exit_code, "their category_id; the first is 55" in done.stderr) == (5, True)
    loud = cli("eval", "--data", "coco", "--detections", "r.json", "--no-save")
    assert loud.stderr.count("the first is 55") == 1


def bad_files():
    results("nan.json", score=float("nan"))
    results("negative.json", bbox=[4, 16, -8, 32])
    results("score.json", score=90)
    Path("truncated.json").write_text(Path(results()).read_text()[:-40])
    Path("alien.json").write_text(Path(results()).read_text().replace('"image_id": 10', '"image_id": 77'))
    Path("classes.json").write_text(
        Path(results()).read_text().replace('"category_id": ', '"category_id": 9')
    )
    Path("object.json").write_text(json.dumps(coco_json("val")))
    Path("empty.json").write_text("")
    with Path("huge.json").open("wb") as file:
        file.truncate(2 << 30)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nan.json", "entry 1 holds a number that is not finite"),
        ("negative.json", "entry 1 has a box of negative width or height"),
        ("score.json", "entry 1 has a score outside 0 to 1"),
        ("truncated.json", "is cut short or broken after 1 entries; write it again"),
        ("alien.json", "no image_id in it is an image of the data"),
        ("classes.json", "no category_id in it is a class of the data"),
        ("object.json", "is not a COCO results file, which is a JSON list"),
        ("empty.json", "is not a COCO results file"),
        ("huge.json", "is 2.0 GiB, and more than 0.5 GiB is not read"),
        ("missing.json", "cannot be read: No such file or directory"),
    ],
)
def test_bad_results_are_one_line_each(cli, name, says):
    bad_files()
    done = cli("eval", "--data", "coco", "--detections", name, "--no-save")
    assert done.exit_code == 3
    assert done.stderr.startswith(f"error: {name}: {says}")
    assert done.stderr.count("\n") == 1


def test_anothers_results_are_judged_without_any_model_code(cli):
    """No engine, no detector, no framework is imported for it."""
    results()
    code = (
        "import sys\nfrom yolo_cli.cli import main\n"
        "try: main(['eval', '--data', 'coco', '--detections', 'r.json', '-q', '--format', 'json'])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "ours = {f'yolo_cli.{room}' for room in ('detectors', 'engines', 'weights', 'codec', 'model')}\n"
        "heavy = {'onnxruntime', 'onnx', 'keras', 'tensorflow', 'matplotlib', 'pycocotools'} | ours\n"
        "heavy &= {*sys.modules}\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert json.loads(done.stdout)["map50"] == 1.0
    assert Path("runs/eval/report.html").exists()


def test_faults_of_the_data_are_mentioned(cli):
    with Path("yolo/labels/val/c.txt").open("a") as file:
        file.write("9 0.5 0.5 1 1\n")
    done = cli("eval", "--data", "yolo", "--no-save")
    assert done.exit_code == 0
    assert (
        "a fault in the data, such as labels/val/c.txt:2: class 9 is none of 0 to 1; `yolo lint"
        in done.stderr
    )


def test_help_is_as_it_was(monkeypatch):
    """A new snapshot is taken with: COLUMNS=82 yolo eval --help > tests/cli/snapshots/yolo-eval.txt"""
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(main, ["eval", "--help"], prog_name="yolo").stdout
    snapshot = Path(__file__).parent / "snapshots" / "yolo-eval.txt"
    assert shown == snapshot.read_text(encoding="utf-8")
