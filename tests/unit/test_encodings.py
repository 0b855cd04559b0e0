from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_sets import write_text, write_voc
from yolo_cli.datasets import open_dataset
from yolo_cli.encodings import likely_encoding
from yolo_cli.errors import DataError


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("猫\n狗\n", "gbk"),
        ("缺陷\n划痕", "gbk"),
        ("口罩", "gbk"),
        ("汽車\n行人", "big5"),
        ("ねこ\nいぬ", "cp932"),
        ("고양이\n개", "euc_kr"),
        ("кошка\nщенок", "cp1251"),  # noqa: RUF001
        ("café\nchat", "cp1252"),
        ("Größe", "cp1252"),
        ("été", "cp1252"),
        ("cat", "utf-16-le"),
        ("cat", "utf-16-be"),
    ],
)
def test_class_names_in_many_languages(text: str, encoding: str) -> None:
    assert likely_encoding(text.encode(encoding)) == encoding


def named(root: Path, name: str, encoding: str, declared: str) -> Path:
    """A VOC set of which one file is in an encoding."""
    write_voc(root)
    path = root / "Annotations" / "d.xml"
    head = f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else ""
    path.write_bytes((head + path.read_text().replace("cat", name)).encode(encoding))
    return root


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("猫", "gbk"), ("猫", "gb2312"), ("貓", "big5"), ("ねこ", "shift_jis"), ("고양이", "euc-kr"),
     ("кошка", "windows-1251"), ("café", "iso-8859-1"), ("猫", "utf-8"), ("猫", "utf-16")],
)  # fmt: skip
def test_xml_in_the_encoding_that_it_declares(tmp_path: Path, name: str, encoding: str) -> None:
    dataset = open_dataset(named(tmp_path, name, encoding, encoding))
    assert set(dataset.class_names) == {"cat", "dog", name}
    assert dataset.findings == ()


def test_xml_with_a_mark_or_without_a_declaration(tmp_path: Path) -> None:
    assert "猫" in open_dataset(named(tmp_path / "mark", "猫", "utf-16", "")).class_names
    root = named(tmp_path / "none", "猫狗", "gbk", "")
    [finding] = open_dataset(root).findings
    assert (finding.code, finding.unusable) == ("Y203", True)
    assert "likely --encoding gbk" in finding.what or "likely encoding gbk" in finding.what
    assert "猫狗" in open_dataset(root, encoding="gbk").class_names


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_every_text_of_a_yolo_set_may_have_a_mark(tmp_path: Path, mark: str) -> None:
    from tests.made_sets import BOXES, boxes_by_name, write_yolo

    root = write_yolo(tmp_path)
    for path in [*root.rglob("*.txt"), root / "data.yaml"]:
        path.write_bytes(path.read_text().encode(mark))
    assert boxes_by_name(open_dataset(root)) == BOXES


def test_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    from tests.made_sets import write_yolo

    root = write_yolo(tmp_path, "train: images/train\nval: images/val\nnames: pets.names\n")
    (root / "pets.names").write_bytes("猫\n狗\n".encode("gbk"))
    with pytest.raises(DataError, match=r"pets\.names:2: is not text in UTF-8 .* likely (--)?encoding gbk"):
        open_dataset(root)
    write_text(root / "pets.names", "猫\n狗\n")
    assert open_dataset(root).class_names == ("猫", "狗")
