"""Chinese as sound: toneless pinyin syllables, and how alike two of them are to an ear that knows accents."""

from __future__ import annotations

from functools import lru_cache

from pypinyin import Style, lazy_pinyin


@lru_cache(maxsize=65536)
def syllables(text: str) -> tuple[str, ...]:
    """Toneless pinyin of `text`, one syllable a Chinese character; anything else is dropped.

    `女` is `nv`; digits and Latin letters are not read (say numbers in words first).
    """
    hanzi = "".join(char for char in text if "\u3400" <= char <= "\u9fff")
    return tuple(lazy_pinyin(hanzi, style=Style.NORMAL, v_to_u=False, errors="ignore"))
