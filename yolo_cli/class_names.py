"""Class names: synonyms, and COCO's category ids."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["class_key", "coco_category_ids"]

# Darknet's and Pascal VOC's names on the left, COCO's on the right; normalised as in `class_key`.
_SYNONYMS = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "sofa": "couch",
    "tvmonitor": "tv",
}

# COCO's 80 names in the order of their ids; ids missing from 1 to 90 are unused in COCO.
_COCO_NAMES = """
person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign
parking_meter bench bird cat dog horse sheep cow elephant bear zebra giraffe backpack umbrella handbag
tie suitcase frisbee skis snowboard sports_ball kite baseball_bat baseball_glove skateboard surfboard
tennis_racket bottle wine_glass cup fork knife spoon bowl banana apple sandwich orange broccoli carrot
hot_dog pizza donut cake chair couch potted_plant bed dining_table toilet tv laptop mouse remote keyboard
cell_phone microwave oven toaster sink refrigerator book clock vase scissors teddy_bear hair_drier
toothbrush
"""
_MISSING = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
_COCO = dict(
    zip(
        (name.replace("_", "") for name in _COCO_NAMES.split()),
        (number for number in range(1, 91) if number not in _MISSING),
        strict=True,
    )
)


def class_key(name: str) -> str:
    """A key that is equal for synonyms: letters and digits only, COCO's word in place of VOC's.

    >>> class_key("TV monitor"), class_key("tv"), class_key("dining-table")
    ('tv', 'tv', 'diningtable')
    """
    letters = "".join(sign for sign in name.casefold() if sign.isalnum())
    return _SYNONYMS.get(letters, letters) or name


def coco_category_ids(class_names: Sequence[str]) -> list[int]:
    """The data set's own category id of each class id.

    COCO numbers its 80 classes from 1 to 90 with gaps; models number them from 0 to 79. Classes of other data
    sets are numbered from 1, as COCO tools expect.

    >>> coco_category_ids(("helmet", "vest"))
    [1, 2]
    """
    keys = [class_key(name) for name in class_names]
    if len(keys) == len(_COCO) and all(key in _COCO for key in keys):
        return [_COCO[key] for key in keys]
    return list(range(1, len(keys) + 1))
