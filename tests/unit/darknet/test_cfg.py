"""Reading a cfg: Darknet's rules, and one line that names the fault and its place."""

from __future__ import annotations

import pytest

from tests.tiny import CFG
from yolo_cli.darknet import Network, read_cfg, read_names
from yolo_cli.errors import DataError

HEAD = "[yolo]\nmask=0\nanchors=1,2\nclasses=1\nnum=1\n"


def read(text, tmp_path, name="it.cfg") -> Network:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_cfg(path)


def fault_of(text, tmp_path):
    with pytest.raises(DataError) as caught:
        read(text, tmp_path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_sections_options_and_their_lines(tmp_path):
    network = read("# made by hand\n[net]\nwidth = 32\nheight=64\n\n[yolo]\nanchors = 1,2, 3.5,4\n", tmp_path)
    assert (network.net.integer("width"), network.net.line) == (32, 2)
    [head] = network.layers
    assert (head.kind, head.line, head.file) == ("yolo", 6, "it.cfg")
    assert head.reals("anchors") == (1.0, 2.0, 3.5, 4.0)
    assert network.heads() == (0,)


def test_comments_and_windows_line_ends(tmp_path):
    network = read(b"[net]\r\nwidth=32 # pixels\r\n;height=1\r\n[yolo]\r\n", tmp_path)
    assert dict(network.net.options) == {"width": "32"}


def test_of_two_equal_options_darknet_takes_the_first(tmp_path):
    assert read(f"[net]\nwidth=32\nwidth=64\n{HEAD}", tmp_path).net.integer("width") == 32


def test_references_count_from_the_start_or_back(tmp_path):
    """Layer 3 names -1, which is 2; -3, which is 0; and 1."""
    layers = "[dropout]\n[dropout]\n[dropout]\n[route]\nlayers=-1, -3, 1\n"
    assert read(f"[net]\n{layers}{HEAD}", tmp_path).references(3, "layers") == (2, 0, 1)


@pytest.mark.parametrize(
    "layers", ["layers=3", "layers=4", "layers=-4", "layers=", "layers=0,3", "layers=0.5"]
)
def test_only_layers_before_can_be_named(layers, tmp_path):
    network = read(f"[net]\n[dropout]\n[dropout]\n[dropout]\n[route]\n{layers}\n{HEAD}", tmp_path)
    with pytest.raises(DataError, match=r"it\.cfg:5: \[route\] layers="):
        network.references(3, "layers")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[yolo]", "[lstm]\n[yolo]", "it.cfg:21: [lstm] is a section that this program does not know"),
        ("[yolo]", "[net]\n[yolo]", "it.cfg:21: [net] is a section that this program does not know"),
        ("pad=1", "padd=1", "it.cfg:12: [convolutional] has no option 'padd' that this program knows"),
        ("leaky", "selu", "it.cfg:13: the activation 'selu' is not known; known are leaky, linear, logistic"),
        ("pad=1", "dilation=2", "it.cfg:12: [convolutional] dilation=2 is not supported, only dilation=1"),
        ("channels=3", "channels=1", "it.cfg:5: [net] channels=1 is not supported, only channels=3"),
        ("pad=1", "pad", "it.cfg:12: 'pad' is neither a [section] nor key=value; is this a Darknet cfg?"),
        (
            "filters=4",
            "filters=abc",
            "it.cfg:9: [convolutional] filters=abc must be a whole number, at least 1",
        ),
        ("filters=4", "filters=0", "it.cfg:9: [convolutional] filters=0 must be a whole number, at least 1"),
        (
            "filters=4",
            "filters=nan",
            "it.cfg:9: [convolutional] filters=nan must be a whole number, at least 1",
        ),
        (
            "filters=4",
            "filters=inf",
            "it.cfg:9: [convolutional] filters=inf must be a whole number, at least 1",
        ),
        (
            "stride=32",
            "stride=2.5",
            "it.cfg:11: [convolutional] stride=2.5 must be a whole number, at least 1",
        ),
        ("pad=1", "padding=-1", "it.cfg:12: [convolutional] padding=-1 must be a whole number, at least 0"),
        ("width=64", "width=-64", "it.cfg:3: [net] width=-64 must be a whole number, at least 1"),
        ("classes=2", "classes=0", "it.cfg:24: [yolo] classes=0 must be a whole number, at least 1"),
    ],
)
def test_what_is_not_known_is_named_with_its_line(old, new, says, tmp_path):
    assert old in CFG
    assert fault_of(CFG.replace(old, new, 1), tmp_path).startswith(says)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "[convolutional]\n", HEAD])
def test_a_cfg_begins_with_net(text, tmp_path):
    says = "it.cfg: does not begin with a [net] section; is this a Darknet cfg?"
    assert fault_of(text, tmp_path) == says


def test_a_classifier_is_refused(tmp_path):
    says = "it.cfg: has no [yolo] or [region] section, so it detects nothing"
    assert fault_of("[net]\nwidth=32\n[avgpool]\n", tmp_path) == says


@pytest.mark.parametrize("text", [b"\x89PNG\r\n", "hello", "width=3"])
def test_another_kind_of_file_is_asked_about(text, tmp_path):
    assert "is neither a [section] nor key=value; is this a Darknet cfg?" in fault_of(text, tmp_path)


def test_a_binary_file_is_not_text(tmp_path):
    says = "it.cfg: is not text (it holds NUL bytes); write it again"
    assert fault_of(b"\x00\x01\x02", tmp_path).endswith(says)


@pytest.mark.parametrize(
    "data", [CFG.encode("utf-8-sig"), CFG.encode("utf-16"), b"# M\xfcller\n" + CFG.encode()]
)
def test_marks_and_comments_of_other_systems_do_not_matter(data, tmp_path):
    assert len(read(data, tmp_path).layers) == len(read(CFG, tmp_path).layers)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_names_with_a_byte_order_mark(tmp_path, encoding):
    (tmp_path / "it.names").write_text("face\n人\n", encoding=encoding)
    assert read_names(tmp_path / "it.names") == ("face", "人")


def test_names_that_are_not_utf8_are_refused(tmp_path):
    (tmp_path / "it.names").write_text("face\n行人\n", encoding="gbk")
    with pytest.raises(DataError, match=r"it\.names:2: is not text in UTF-8"):
        read_names(tmp_path / "it.names")


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"no\.cfg: no such file"):
        read_cfg(tmp_path / "no.cfg")


def test_numbers_of_a_section(tmp_path):
    text = "[net]\n[yolo]\nanchors=1,x\nmask=0,1.5\nscale_x_y=wide\nbeta_nms=inf\nnum=2.5\n"
    [head] = read(text, tmp_path).layers
    for says, call in {
        "it.cfg:2: [yolo] anchors=1,x is not a list of numbers": lambda: head.reals("anchors"),
        "it.cfg:2: [yolo] mask=0,1.5 is not a list of whole numbers": lambda: head.integers("mask"),
        "it.cfg:2: [yolo] scale_x_y=wide is not a number": lambda: head.real("scale_x_y"),
        "it.cfg:2: [yolo] beta_nms=inf is not a number": lambda: head.real("beta_nms"),
        "it.cfg:2: [yolo] num=2.5 is not a whole number": lambda: head.integer("num"),
        "it.cfg:2: [yolo] needs max=": lambda: head.integer("max"),
    }.items():
        with pytest.raises(DataError) as caught:
            call()
        assert str(caught.value) == says
    assert (head.real("max", 0.5), head.integer("max", 7), head.text("max", "word")) == (0.5, 7, "word")
    assert head.reals("map") == ()


def test_names_are_one_a_line(tmp_path):
    path = tmp_path / "it.names"
    path.write_text("traffic light\n dog \n\n\n")
    assert read_names(path) == ("traffic light", "dog")


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "holds no class names"), ("\n\n", "no class names"), ("a\n\nb\n", "an empty line")],
)
def test_names_that_cannot_be_counted(text, says, tmp_path):
    path = tmp_path / "it.names"
    path.write_text(text)
    with pytest.raises(DataError, match=says):
        read_names(path)


@pytest.mark.parametrize(
    ("section", "option"),
    [
        *(("net", it) for it in ("step=9", "scale=.1", "learning_rate_min=1", "resize_step=32")),
        *(("net", it) for it in ("use_cuda_graph=1", "sequential_subdivisions=8", "policy=sgdr")),
        *(("convolutional", it) for it in ("stream=1", "wait_stream=0", "learning_rate=0", "angle=15")),
        *(("convolutional", it) for it in ("grad_centr=1", "dont_update=1", "train_only_bn=1", "xnor=0")),
        *(("yolo", it) for it in ("show_details=0", "onlyforward=1", "burnin_update=2")),
        *(("region", it) for it in ("log=1", "sqrt=1", "classfix=1")),
    ],
)  # fmt: skip
def test_options_of_training_and_printing_are_ignored(section, option, tmp_path):
    parts = {
        "net": "[net]\nwidth=32\nheight=32\n",
        "convolutional": "[convolutional]\nfilters=18\n",
        "yolo": HEAD,
        "region": "[region]\nanchors=1,2\nclasses=1\nnum=1\n",
    }
    parts[section] += f"{option}\n"
    chosen = ("net", "convolutional", "region" if section == "region" else "yolo")
    assert read("".join(parts[name] for name in chosen), tmp_path).heads() == (1,)


@pytest.mark.parametrize("option", ["xnor=1", "coordconv=1", "antialiasing=1", "reverse=1", "stretch_sway=1"])
def test_options_that_change_the_network_are_refused(option, tmp_path):
    text = f"[net]\nwidth=32\nheight=32\n[convolutional]\nfilters=18\n{option}\n{HEAD}"
    assert "is not supported" in fault_of(text, tmp_path)
