"""Cut the corpus into the words a decoder knows: `tools/corpus/*.txt` → `assistant/listen/talk.txt.xz`.

    make learn          or: python tools/talk.py     (half a minute; needs the recognition model: xiaoban fetch)

The other half of what is learned from the corpus: `learn.py` learns what sentences mean, this how they sound like talk at home.
Run it whenever the corpus changes. Sentences the vocabulary cannot write are left out.
"""

from __future__ import annotations

import lzma
import sys
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from assistant.listen.grammar import cut  # noqa: E402
from assistant.listen.recognizer import Model  # noqa: E402
from assistant.listen.talk import SENTENCES  # noqa: E402
from assistant.places import VOSK, models_dir  # noqa: E402

CORPUS = Path(__file__).with_name("corpus")


def corpus() -> list[str]:
    """Every sentence once."""
    lines = (line.strip() for path in sorted(CORPUS.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines())
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def main() -> None:
    """Write the file, and say how much there is."""
    knows = lru_cache(maxsize=None)(Model(models_dir() / VOSK).knows)
    found = corpus()
    talk = dict.fromkeys(" ".join(cut(line, knows)[0]) for line in found)
    talk.pop("", None)
    SENTENCES.write_bytes(lzma.compress("\n".join(talk).encode("utf-8"), preset=9))
    words = {word for line in talk for word in line.split()}
    print(f"{len(talk)} of {len(found)} sentences, {len(words)} words → {SENTENCES.name}, {SENTENCES.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
