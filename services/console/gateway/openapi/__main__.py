"""Writes openapi.json and docs.html: `python -m services.console.gateway.openapi IMAGE FOLDER`.

For `make protos`: comments are in the image of the contracts alone and not in generated code.
"""

import argparse
import json
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from services.console.gateway.openapi.document import openapi
from services.console.gateway.openapi.page import page

LARGEST_BYTES = 600_000
"""The gateway keeps each file in memory, and in its configuration."""


def main() -> None:
    """Writes both files."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("image", type=Path, help="the contracts, as `protos/generate.py --image` writes them")
    parser.add_argument("folder", type=Path, help="where both files go")
    options = parser.parse_args()
    document = openapi(FileDescriptorSet.FromString(options.image.read_bytes()))
    options.folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "openapi.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n",
        "docs.html": page(document) + "\n",
    }
    for name, text in texts.items():
        if len(text.encode()) > LARGEST_BYTES:
            raise SystemExit(f"{name} is larger than {LARGEST_BYTES:,} bytes")
        (options.folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
