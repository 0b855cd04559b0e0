"""CSV with boxes, and Open Images."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_sets import write_text
from tests.unit.datasets.forms.reading import boxes, read_text_beside, refusals
from yolo_cli.datasets import read_dataset

BOX = (10, 5, 30, 20)


@pytest.mark.parametrize(
    "text",
    [
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,100,50,cat,10,5,30,20\n",
        "image_id;label;x_min;y_min;x_max;y_max\na;cat;10;5;30;20\n",
        "path\tx1\ty1\tx2\ty2\tclass\nfolder/a.png\t10\t5\t30\t20\tcat\n",
        "file_name,category,x,y,width,height\na.png,cat,10,5,20,15\n",
        'image_id,label,width,height,bbox\na,cat,100,50,"[10.0, 5.0, 20.0, 15.0]"\n',
        "image_name,label,BoxesString\na.png,cat,10 5 30 20\n",
        "a.png,10,5,30,20,cat\n",
        "TRAIN,gs://b/a.png,cat,0.1,0.1,,,0.3,0.4,,\n",
        "\ufefffilename,class,xmin,ymin,xmax,ymax\r\na.png,cat,0.1,0.1,0.3,0.4\r\n",
    ],
)
def test_the_columns_say_what_they_are(tmp_path: Path, text: str) -> None:
    found = read_text_beside(tmp_path, text, "train.csv")
    assert boxes(found) == [("cat", BOX)]
    assert found.splits == ("train",)
    assert not refusals(found)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a.png,cat,10,5,x,20", "the box is not four numbers: '10 5 x 20'"),
        ("a.png,,10,5,30,20", "the row needs a class"),
        ("a.png,cat,10,5", "the box is not four numbers: '10 5'"),
        ("a.png,cat,10,5,1e400,20", "a coordinate is not a finite number"),
    ],
)
def test_a_refused_row_leaves_its_image_out(tmp_path: Path, row: str, words: str) -> None:
    text = f"filename,class,xmin,ymin,xmax,ymax\na.png,cat,10,5,30,20\n{row}\n"
    found = read_text_beside(tmp_path, text, "boxes.csv")
    assert len(found) == 0
    assert words in refusals(found)[0]
    assert found.findings[0].where == "boxes.csv:3"


@pytest.mark.parametrize("row", ["a.png,,,,,", "a.png,No finding,nan,nan,nan,nan", "a.png,cat,,,,"])
def test_a_row_without_edges_says_that_there_is_nothing(tmp_path: Path, row: str) -> None:
    found = read_text_beside(tmp_path, f"filename,class,xmin,ymin,xmax,ymax\n{row}\n", "boxes.csv")
    assert [len(sample.labels) for sample in found.samples] == [0]


def test_an_image_without_a_row_is_not_background(tmp_path: Path) -> None:
    text = "filename,class,xmin,ymin,xmax,ymax\na.png,cat,10,5,30,20\n"
    found = read_text_beside(tmp_path, text, "boxes.csv")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    found = read_text_beside(tmp_path, text, "boxes.csv")
    assert [sample.name for sample in found.samples] == ["a.png"]
    assert refusals(found) == ["the image has no annotation"]


def test_a_column_of_splits(tmp_path: Path) -> None:
    text = "filename,class,xmin,ymin,xmax,ymax,split\na.png,cat,10,5,30,20,valid\n"
    assert read_text_beside(tmp_path, text, "boxes.csv").splits == ("val",)


def test_numbers_of_classes_sort_by_value_and_get_their_names(tmp_path: Path) -> None:
    text = "image_id,class_id,xmin,ymin,xmax,ymax\na,10,10,5,30,20\na,9,10,5,30,20\n"
    assert read_text_beside(tmp_path, text, "boxes.csv").class_names == ("9", "10")
    write_text(tmp_path / "classes.csv", "dog,10\ncat,9\n")
    found = read_text_beside(tmp_path, text, "boxes.csv")
    assert boxes(found) == [("dog", BOX), ("cat", BOX)]
    assert found.class_names == ("cat", "dog")


def test_a_table_without_boxes_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="has no data set"):
        read_text_beside(tmp_path, "image_id,PredictionString\na,1.0 0 0 50 50\n", "sample_submission.csv")


FLAGS = "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
OPEN = f"ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,{FLAGS}\n"


def test_open_images_without_descriptions_keeps_the_codes(tmp_path: Path) -> None:
    found = read_text_beside(
        tmp_path, OPEN + "a,x,/m/01yrx,1,0.1,0.3,0.1,0.4,1,-1,0,0,0\n", "boxes.csv", extras=True
    )
    assert boxes(found) == [("/m/01yrx", BOX)]
    assert dict(found.samples[0].extras[0].attributes) == {"occluded": True}


def test_open_images_refuses_a_row_without_edges(tmp_path: Path) -> None:
    found = read_text_beside(tmp_path, OPEN + "a,x,/m/01yrx,1,0.1,,0.1,0.4,1,-1,0,0,0\n", "boxes.csv")
    assert "needs a LabelName and XMin" in refusals(found)[0]


def test_a_table_of_a_spreadsheet_in_utf_16(tmp_path: Path) -> None:
    found = read_text_beside(tmp_path, "filename,class,xmin,ymin,xmax,ymax\na.png,Löwe,10,5,30,20\n", "x.csv")
    text = (tmp_path / "x.csv").read_text().replace(",", "\t")
    (tmp_path / "x.csv").write_bytes(text.encode("utf-16"))
    assert boxes(read_dataset(tmp_path)) == boxes(found) == [("Löwe", BOX)]


@pytest.mark.parametrize(("word", "split"), [("TRAIN", "train"), ("VALIDATE", "val"), ("TEST", "test")])
def test_the_first_column_of_a_table_of_automl_is_the_split(tmp_path: Path, word: str, split: str) -> None:
    row = f"{word},gs://b/a.png,cat,0.1,0.1,,,0.3,0.4,,\n"
    assert read_text_beside(tmp_path, row, "boxes.csv").splits == (split,)
