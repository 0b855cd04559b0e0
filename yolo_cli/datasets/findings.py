"""The rules of lint, with stable codes, and findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["RULES", "UNUSABLE", "Finding", "Rule", "Severity"]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of fault.

    Attributes:
        code: stable and never reused.
        name: readable name.
        severity: "error" if data is lost or training is harmed, "warning" if a person should check.
        meaning: the fault, as one clause.
        fixing: what ``--fix`` does about it in the copy.
    """

    code: str
    name: str
    severity: Severity
    meaning: str
    fixing: str


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault at one place.

    Attributes:
        code: the rule's, a key of ``RULES``.
        where: file, relative to the data set's folder, and the line, object or annotation in it.
        what: the fault with its figures, in one line.
        image: the name of the affected sample, or "" if there is none.
        split: the split of that sample.
    """

    code: str
    where: str
    what: str
    image: str = field(default="", compare=False)
    split: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.code not in RULES:
            raise ValueError(f"there is no rule {self.code}")

    @property
    def unusable(self) -> bool:
        """Whether the image is left out: not all that its label says could be understood."""
        return self.code in UNUSABLE

    @property
    def rule(self) -> Rule:
        """The rule of the finding."""
        return RULES[self.code]


UNUSABLE = frozenset(
    "Y101 Y102 Y103 Y107 Y201 Y203 Y204 Y208 Y210 Y211 Y212 Y301 Y303 Y308 Y401".split()  # noqa: SIM905
)
"""Rules whose images are left out: a refused row is an object that would be learnt as background."""

_TABLE: tuple[tuple[str, str, Severity, str, str], ...] = (
    # Images
    ("Y101", "unreadable-image", "error", "an image cannot be read", "left out, its label too"),
    ("Y102", "missing-image", "error", "an image is listed but missing", "left out of the list"),
    ("Y103", "size-disagrees", "error", "the label file gives another image size than the image has",
     "left out, for its boxes may belong to another image"),
    ("Y104", "exif-rotated-label", "error", "boxes were drawn on the image as stored, before EXIF rotation",
     "boxes are turned with the image"),
    ("Y105", "exif-turned-image", "warning",
     "EXIF turns or mirrors the image, and the label does not show whether it was drawn before or after",
     "kept: check the boxes"),
    ("Y106", "size-unknown", "warning", "the label file has a place for the image's size, but holds 0",
     "filled in"),
    ("Y107", "damaged-image", "error", "pixels of an image are missing or corrupt",
     "left out, its label too"),
    # Label files
    ("Y201", "missing-label", "error", "an image has no label file (an empty one would mean: no objects)",
     "left out"),
    ("Y202", "orphan-label", "error", "a label belongs to no image", "left out"),
    ("Y203", "unreadable-label", "error", "a label file cannot be read at all", "left out, its image too"),
    ("Y204", "malformed-row", "error", "a row is not a class and box", "its image left out"),
    ("Y205", "listed-twice", "warning", "an image is listed twice in one split", "listed once"),
    ("Y206", "other-filename", "warning", "an XML file names another image than that of its own name",
     "the file's own name is written"),
    ("Y207", "repeated-id", "warning", "two annotations have the same id, which must be unique",
     "kept"),
    ("Y208", "rotated-box", "error", "a box is rotated, which upright boxes cannot express",
     "its image left out"),
    ("Y209", "four-corners", "warning",
     "every row has four corners, as rotated boxes (OBB) do; the upright box around them is used",
     "kept: check that this is meant"),
    ("Y210", "shared-label", "error", "one label file is that of two images", "both images left out"),
    ("Y211", "contested-image", "error", "entries of one image, or of one id, contradict each other",
     "the images left out"),
    ("Y212", "label-without-box", "error", "no row of a label is a box, though the label is not empty",
     "left out, its image too"),
    # Boxes
    ("Y301", "not-a-number", "error", "a coordinate is not a finite number", "its image left out"),
    ("Y302", "degenerate-box", "error", "a box has no width or no height: an accidental click",
     "row left out"),
    ("Y303", "box-outside", "error", "a box is completely outside the image", "its image left out"),
    ("Y304", "box-sticks-out", "warning", "a box sticks out of the image by more than 1 pixel", "clipped"),
    ("Y305", "duplicate-box", "warning", "an object is drawn twice: same class, IoU 0.9 or more",
     "the later one left out"),
    ("Y306", "two-classes", "warning", "a box has two classes: IoU 0.99 or more", "kept: choose one"),
    ("Y307", "tiny-box", "warning", "a box is narrower than 3 pixels at the network's size", "kept"),
    ("Y308", "swapped-corners", "error", "a box's left is right of its right, or its top below its bottom",
     "its image left out"),
    ("Y309", "many-boxes", "warning", "an image has more boxes than are compared with each other", "kept"),
    # Classes
    ("Y401", "unknown-class", "error", "a row names a class that the data set does not have",
     "its image left out"),
    ("Y402", "names-disagree", "error", "files of the data set disagree about class names",
     "one list of classes is written"),
    ("Y403", "unlabelled-class", "warning", "a class has no box, or none in the training images", "kept"),
    ("Y404", "class-imbalance", "warning", "a class has at most a tenth of the most frequent one's boxes",
     "kept"),
    ("Y405", "no-class-names", "warning", "no file names the classes", "kept: their numbers are their names"),
    ("Y406", "names-alike", "error", "two classes have the same name, but for case and blanks",
     "kept: choose one"),
    ("Y407", "numbers-disagree", "warning", "splits number a class differently; its name decides", "kept"),
    # Splits
    ("Y501", "duplicate-across-splits", "error", "the same image is in two splits, so figures flatter",
     "kept only in the later of train, val, test"),
    ("Y502", "near-duplicate-across-splits", "warning", "nearly the same image is in two splits",
     "kept: check the pair"),
    ("Y503", "duplicate-image", "warning", "the same image occurs twice in one split",
     "the later name left out"),
    ("Y504", "empty-split", "error", "a split is named but has no usable image", "left out"),
    ("Y505", "split-without-boxes", "warning", "no image of val has a box, so nothing can be evaluated",
     "kept"),
)  # fmt: skip

RULES = {row[0]: Rule(*row) for row in _TABLE}
"""Every rule by its code."""
