"""Photos from folders and along tracks, and the batches made of them."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.errors import DataError
from yolo_cli.images import write_image
from yolo_cli.training.embedding.batches import BATCH, PHOTOS, IdentityBatches, quarter_turned
from yolo_cli.training.embedding.data import read_identities


def plain(value, side=16):
    return np.full((side, side, 3), value, np.uint8)


@pytest.fixture
def folders(tmp_path):
    """Two groups of two identities, of two photos each; one more with a single photo."""
    for number, name in enumerate(("a/x", "a/y", "b/x", "b/z")):
        for photo in range(2):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
            write_image(tmp_path / name / f"{photo}.png", plain(40 * number + photo))
    (tmp_path / "c").mkdir()
    write_image(tmp_path / "c" / "0.png", plain(9))
    return tmp_path


def test_a_folder_an_identity(folders):
    people = read_identities(folders, (8, 8))
    assert people.names == ("a/x", "a/y", "b/x", "b/z")  # one photo cannot be compared
    assert people.groups == (0, 0, 1, 1)
    assert people.photos[2].shape == (2, 8, 8, 3)
    assert people.photos[2][:, 0, 0, 0].tolist() == [80, 81]


def test_a_damaged_photo_is_named_and_left_out(folders):
    (folders / "a/x/2.png").write_bytes(b"no image")
    said = []
    assert read_identities(folders, (8, 8), said.append).count == 8
    assert len(said) == 1
    assert "2.png" in said[0]


@pytest.mark.parametrize("layout", [("s.txt", "s"), ("s/gt/gt.txt", "s/img1")])
def test_boxes_along_tracks(tmp_path, layout):
    text, frames = (tmp_path / each for each in layout)
    for folder in (text.parent, frames):
        folder.mkdir(parents=True, exist_ok=True)
    for number in range(3):
        image = plain(0, 32)
        image[:16, :16], image[16:, 16:] = 100 + number, 200
        write_image(frames / f"{number:06d}.png", image)
    # Track 1 in the upper left quarter of frames 1 to 3, track 2 in the lower right of the first two.
    text.write_text("1,1,1,1,16,16\n1,2,17,17,16,16\n2,1,1,1,16,16\n2,2,17,17,16,16\n3,1,1,1,16,16\n")
    people = read_identities(tmp_path, (4, 4))
    assert people.names == ("s/1", "s/2")
    assert people.photos[0][:, 1, 1, 0].tolist() == [100, 101, 102]
    assert people.photos[1][:, 1, 1, 0].tolist() == [200, 200]


@pytest.mark.parametrize("data", [".", "a", "none"])
def test_too_few_identities_are_one_line(folders, data):
    for photo in (folders / "a/y").iterdir():
        photo.unlink()
    for photo in (folders / "b").rglob("*.png"):
        photo.unlink()
    with pytest.raises(DataError, match="folder of photos for each identity"):
        read_identities(folders / data, (8, 8))


def test_quarter_turns_are_other_identities():
    photo = np.zeros((1, 4, 4, 3), np.uint8)
    photo[0, 0, 0] = 255
    photos, groups = quarter_turned([photo, photo], [0, 1])
    assert groups == (0, 4, 1, 5, 2, 6, 3, 7)
    corners = [tuple(np.argwhere(each[0, :, :, 0])[0]) for each in photos[::2]]
    assert corners == [(0, 0), (3, 0), (3, 3), (0, 3)]


def batches(augment, groups=(0,) * 30):
    return IdentityBatches([np.stack([plain(8 * at)] * 5) for at in range(30)], groups, (8, 8), 3, augment)


def test_a_batch_has_a_few_photos_of_each_of_some_identities():
    images, identity = batches(augment=False)[0]
    assert images.shape == (BATCH, 8, 8, 3)
    assert (np.unique(identity, return_counts=True)[1] == PHOTOS).all()
    assert np.array_equal(images[:, 0, 0, 0], 8 * identity)  # each photo is of its identity


def test_a_batch_depends_on_seed_epoch_and_number_alone():
    first, again = (batches(augment=True) for _ in range(2))
    assert np.array_equal(first[1][0], again[1][0])
    again.on_epoch_end()
    assert not np.array_equal(first[1][0], again[1][0])


def test_half_of_the_batches_begin_with_one_group():
    found = batches(augment=False, groups=[at // 5 for at in range(30)])
    together = [len({at // 5 for at in found._identities(np.random.default_rng(n))[:5]}) for n in range(60)]
    assert 15 < together.count(1) < 45
