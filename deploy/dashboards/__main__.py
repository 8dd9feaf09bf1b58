"""Writes the boards into a folder: `python -m deploy.dashboards FOLDER`."""

import json
import sys
from pathlib import Path

from deploy.dashboards.boards_of_calls import DECISIONS, FLEET, GATEWAY_BOARD
from deploy.dashboards.boards_of_records import CONSENT, DATABASE
from deploy.dashboards.panels import Board, document

BOARDS = (DECISIONS, CONSENT, DATABASE, GATEWAY_BOARD, FLEET)


def text_of(board: Board) -> str:
    """The file of a board."""
    return json.dumps(document(board), indent=2, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    """Writes a file for each board."""
    for board in BOARDS:
        (folder / f"{board.uid}.json").write_text(text_of(board), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
