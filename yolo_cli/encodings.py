"""Guess the encoding of text that is not UTF-8, to suggest it in a message.

Nothing is read in a guessed encoding: a few class names are too short to be sure.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["likely_encoding"]

_SAMPLE = 1 << 16  # bytes
_CHINESE = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学"
    "如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业"
    "外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东"
    "声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命"
    "猫狗车马牛羊鸡鸭鱼鸟猪虎熊象人脸手瓶杯船树花球灯桌椅书门窗桥路衣帽鞋袋箱货红黄绿蓝黑白类标签行人自行车汽卡火飞机缺陷正常异背景"
)
_KOREAN = frozenset(
    "이다는고가을하에의지로서기한사자도리나시어를인아대정니부수일그해상전보라거제스주은성장들트구여고양개말소차람버전화물병원"
)


def likely_encoding(data: bytes) -> str:
    r"""The Python name of the encoding that bytes are most likely in.

    >>> likely_encoding("猫\n狗\n".encode("gbk")), likely_encoding("café".encode("cp1252"))
    ('gbk', 'cp1252')
    """
    part = data[:_SAMPLE]
    if b"\0" in part:
        return "utf-16-le" if part[1::2].count(0) >= part[::2].count(0) else "utf-16-be"
    scores = {name: _score(part, name, fraction) for name, fraction in _FRACTIONS.items()}
    return max(scores, key=lambda name: scores[name])


def _score(data: bytes, encoding: str, fraction: Callable[[str], float]) -> float:
    """The fraction of a text's characters outside ASCII that the encoding explains; -1 if it cannot be."""
    try:
        return fraction(data.decode(encoding))
    except UnicodeDecodeError:
        return -1.0


def _foreign(text: str) -> str:
    return "".join(character for character in text if character > "\x7f") or " "


def _of_words(text: str, fits: Callable[[str], bool]) -> float:
    """The fraction of the characters outside ASCII that are in words that fit."""
    return len(_foreign(" ".join(filter(fits, text.split()))).strip()) / len(_foreign(text))


def _common(characters: frozenset[str], base: float = 0.0) -> Callable[[str], float]:
    """The fraction of characters that are common in a language; ``base`` if none is."""
    return lambda text: max(base, sum(c in characters for c in text) / len(_foreign(text)))


def _is_russian(word: str) -> bool:
    """Whether a word is in one alphabet and one case, but for its first letter."""
    return all("\u0400" <= c <= "\u045f" for c in word if c.isalpha()) and (
        word[1:].islower() or word.isupper()
    )


def _is_european(word: str) -> bool:
    """Whether a word mixes ASCII letters with accented ones."""
    return any(c.isascii() and c.isalpha() for c in word)


_FRACTIONS: dict[str, Callable[[str], float]] = {
    "gbk": _common(_CHINESE, 0.3),
    "cp932": _common(frozenset(map(chr, range(0x3040, 0x3100)))),
    "euc_kr": _common(_KOREAN),
    "big5": _common(_CHINESE),
    "cp1251": lambda text: 0.9 * _of_words(text, _is_russian),
    "cp1252": lambda text: 0.6 * _of_words(text, _is_european),
}
"""Encodings, and how much of a text they explain."""
