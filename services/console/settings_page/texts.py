"""The platform's texts of policies and notices: files of a folder, known by the digests that policies name.

A text is shown only under the digest of its own bytes: what somebody agrees to is what they were shown (C1).
Files are UTF-8 and called NAME.txt or, in one of several languages, NAME.LANGUAGE.txt (`notice-2026.de.txt`).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from services.chassis.refusals import precondition
from services.console.web.reading import LANGUAGES

LARGEST_BYTES = 1_000_000
"""What is larger than that is no text to be read on a page."""


@dataclass(frozen=True)
class Text:
    """One text, in one language."""

    name: str
    """Of its file, without language and ending."""
    language: str
    """As its file says, a tag of BCP 47; "" where it does not."""
    digest: bytes
    """SHA-256 of the bytes of the file."""
    content: str

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """What blank lines keep apart."""
        parts = self.content.replace("\r\n", "\n").removeprefix("\ufeff").split("\n\n")
        return tuple(part.strip("\n") for part in parts if part.strip())


@dataclass(frozen=True)
class Texts:
    """The texts that a page can show."""

    by_digest: Mapping[bytes, Text] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Those of a folder as it is now.

        Raises Refusal (precondition): TEXTS_MISSING where there is no such folder, TEXT_UNREADABLE for a file
        that is not UTF-8 or larger than `LARGEST_BYTES`.
        """
        if not folder.is_dir():
            raise precondition(
                "TEXTS_MISSING", f"there is no folder {folder} to read policies and notices from"
            )
        texts = [_read(file) for file in sorted(folder.glob("*.txt"))]
        return cls({text.digest: text for text in texts})

    def find(self, digest: bytes) -> Text | None:
        """The text with this digest; None where it is not among them."""
        return self.by_digest.get(digest)

    def notice(self, accepted: Iterable[bytes], language: str) -> Text | None:
        """The one to show of those a policy accepts: the reader's language, else the pages' first, else any.

        `accepted` are digests in the policy's order. None where none of them is here: then nobody can agree.
        """
        here = [text for text in map(self.find, accepted) if text is not None]
        for wanted in (language, LANGUAGES[0]):
            for text in here:
                if text.language.split("-")[0].lower() == wanted:
                    return text
        return here[0] if here else None


def _read(file: Path) -> Text:
    content = file.read_bytes()
    if len(content) > LARGEST_BYTES:
        raise precondition("TEXT_UNREADABLE", f"{file} has more than {LARGEST_BYTES:,} bytes")
    try:
        decoded = content.decode()
    except UnicodeDecodeError as error:
        raise precondition("TEXT_UNREADABLE", f"{file} is not in UTF-8") from error
    name, _, language = file.stem.partition(".")
    return Text(name, language, hashlib.sha256(content).digest(), decoded)
