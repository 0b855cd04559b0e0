from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from tests.images import QUARTERS, encode, smooth
from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import Image, decode_image
from yolo_cli.inputs import array_image, is_one_image, open_input


def read(source, **options):
    return [item.read() for item in open_input(source, **options)]


def rgb(source, **options):
    [image] = read(source, **options)
    return image.rgb


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encode(QUARTERS, "PNG"))
    (tmp_path / "list.txt").write_text("a.png\n")
    return tmp_path


def test_what_holds_one_image_and_what_holds_several(folder):
    one = [folder / "a.png", str(folder / "missing.png"), b"", bytearray(), memoryview(b""), QUARTERS]
    one += [Image(QUARTERS), Pillow.fromarray(QUARTERS)]
    several = [folder, f"{folder}/*.png", folder / "list.txt", [], [QUARTERS], (QUARTERS,), iter([QUARTERS])]
    assert [is_one_image(source) for source in one] == [True] * len(one)
    assert [is_one_image(source) for source in several] == [False] * len(several)


def test_a_file_whose_name_looks_like_a_glob_is_one_image(folder):
    (folder / "a[1].png").write_bytes(encode(QUARTERS, "PNG"))
    assert is_one_image(folder / "a[1].png")
    assert (rgb(folder / "a[1].png") == QUARTERS).all()


def test_the_same_pixels_by_every_way(folder):
    ways = [
        *(folder / "a.png", str(folder / "a.png"), f"{folder}/a.p?g", folder / "list.txt"),
        *((folder / "a.png").read_bytes(), bytearray((folder / "a.png").read_bytes())),
        *(QUARTERS, [QUARTERS], Image(QUARTERS), Pillow.open(folder / "a.png"), Pillow.fromarray(QUARTERS)),
    ]
    for source in ways:
        assert (rgb(source) == QUARTERS).all()


def test_arrays_are_rgb_unless_told_otherwise(folder):
    seen = cv2.imread(str(folder / "a.png"))
    assert (rgb(seen, bgr=True) == QUARTERS).all()
    assert (rgb(seen) == QUARTERS[..., ::-1]).all()
    assert rgb(QUARTERS).base is QUARTERS or rgb(QUARTERS) is QUARTERS  # not copied


def test_bgr_concerns_arrays_only(folder):
    for source in (folder / "a.png", (folder / "a.png").read_bytes(), Pillow.fromarray(QUARTERS)):
        assert (rgb(source, bgr=True) == QUARTERS).all()


def test_grey_arrays():
    grey = smooth()[..., 0]
    for array in (grey, grey[..., None]):
        assert (rgb(array) == np.stack([grey] * 3, axis=2)).all()
    assert (rgb(Pillow.fromarray(grey))[..., 1] == grey).all()


def test_transparent_pixels_are_blended_over_white_as_in_files():
    rgba = np.dstack([QUARTERS, np.full((32, 48), 51, np.uint8)])  # 51 = 255 / 5
    # red is (255, 0, 0): 0 becomes 255 * 4 / 5 = 204
    assert rgb(rgba)[0, 0].tolist() == [255, 204, 204]
    assert (rgb(rgba[..., [2, 1, 0, 3]], bgr=True) == rgb(rgba)).all()
    data = encode(rgba, "PNG")
    assert (rgb(data) == rgb(rgba)).all()
    assert (rgb(Pillow.open(io.BytesIO(data))) == rgb(rgba)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pil_images_are_turned_upright_as_files_are(orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = encode(QUARTERS, "PNG", exif=exif)
    assert (rgb(Pillow.open(io.BytesIO(data))) == decode_image(data, "a").rgb).all()


@pytest.mark.parametrize("mode", ["P", "L", "LA", "CMYK", "1", "YCbCr", "RGBA"])
def test_pil_images_of_other_modes(mode):
    image = Pillow.fromarray(smooth()).convert(mode)
    assert (rgb(image) == np.asarray(image.convert("RGB"))).all()


def test_views_that_are_not_contiguous():
    assert (rgb(QUARTERS[::-1, ::2]) == QUARTERS[::-1, ::2]).all()


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((4, 4, 3)), "array is float64 of shape (4, 4, 3), but must be uint8; scale it to 0 to 255"),
        (np.zeros((4, 4), np.uint16), "array is uint16 of shape (4, 4), but must be uint8"),
        (np.zeros((4, 4), bool), "array is bool of shape (4, 4), but must be uint8"),
        (np.zeros((2, 4, 4, 3), np.uint8), "(2, 4, 4, 3), which is a batch; give list(array)"),
        (np.zeros((3, 4, 5), np.uint8), "channels first; give array.transpose(1, 2, 0)"),
        (np.zeros((4, 4, 2), np.uint8), "must be (height, width) or (height, width, 1, 3 or 4)"),
        (np.zeros(4, np.uint8), "must be (height, width) or"),
        (np.zeros((0, 4, 3), np.uint8), "which has no pixels"),
        (np.array(None), "must be (height, width) or"),
    ],
)
def test_arrays_that_are_not_images_are_one_line(array, says):
    [item] = open_input([array])
    with pytest.raises(DataError) as fault:
        item.read()
    assert str(fault.value).startswith("image-0: array is ")
    assert says in str(fault.value)
    assert "\n" not in str(fault.value)


def test_images_that_cannot_be_read_say_so_when_their_turn_comes(folder):
    items = list(open_input([str(folder / "missing.png"), b"hello", QUARTERS, Pillow.new("I;16", (4, 4))]))
    says = ["no such file", "image-1: ", "", "image-3: PIL mode I;16 is not 8-bit"]
    for item, text in zip(items, says, strict=True):
        if text:
            with pytest.raises(DataError, match=text):
                item.read()


def test_a_damaged_file_that_pil_opened():
    data = encode(smooth(400, 600), "JPEG")
    [item] = open_input(Pillow.open(io.BytesIO(data[:5000])))
    with pytest.raises(DataError, match="image: cannot be read: "):
        item.read()


@pytest.mark.parametrize("source", [7, None, object(), [7], [[None]]])
def test_what_is_not_a_source_is_named(source):
    with pytest.raises(
        UsageError, match=r"^image(-0)*: (int|NoneType|object) is not an image; give a path, "
    ):
        list(open_input(source))


def test_names(folder):
    with Pillow.open(folder / "a.png") as opened:
        items = list(open_input([folder / "a.png", QUARTERS, Image(QUARTERS, "mine"), opened, [QUARTERS]]))
    path = str(folder / "a.png")
    assert [item.name for item in items] == [path, "image-1", "mine", path, "image-4-0"]
    assert [image.name for image in read(QUARTERS)] == ["image"]


def test_lists_may_hold_folders_and_generators_are_read_lazily(folder):
    assert len(read([folder, QUARTERS, f"{folder}/a*"])) == 4

    def endless():
        while True:
            yield QUARTERS

    assert (next(open_input(endless())).read().rgb == QUARTERS).all()


def test_array_image_is_public_for_drawing():
    assert array_image(QUARTERS, name="x").name == "x"


def test_tensors_of_other_libraries_are_arrays():
    class Tensor:
        def __init__(self, values):
            self.values, self.ndim = values, values.ndim

        def __array__(self, dtype=None, copy=None):
            return self.values

        def __iter__(self):
            raise AssertionError("a tensor is one image, not a list of its rows")

    assert is_one_image(Tensor(QUARTERS))
    assert (rgb(Tensor(QUARTERS)) == QUARTERS).all()
    with pytest.raises(DataError, match="channels first"):
        rgb(Tensor(QUARTERS.transpose(2, 0, 1)))
