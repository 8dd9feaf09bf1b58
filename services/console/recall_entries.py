"""`sluice recall entries`: what a recall asks to delete, for people, and as a file for programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console import options, recall_calls
from services.console.connections import Connections
from services.console.output import counted, give_json, give_line, note, say, show, table
from services.console.recall_files import EntriesFile, form_of, post_id_texts, post_ids
from services.console.recalls import RecallId
from sluice.licensing.v1.recall_pb2 import RecallEntry


def entries(
    recall_id: RecallId,
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write a row for each post to this file: .csv, .jsonl or .parquet.",
            dir_okay=False,
            writable=True,
        ),
    ] = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    api_key_file: options.ApiKeyFile = None,
    insecure: options.Insecure = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer with one JSON document a line, one for each withdrawal.")
    ] = False,
) -> None:
    """List what a recall asks to delete: posts of releases, by withdrawal.

    A withdrawal of very many posts comes in several rows. With --json post ids are texts: many readers take
    numbers above 2^53 for others.
    """
    if out is not None:
        # Before licensing is asked: what can be known to fail now should not fail later.
        form_of(out)
    connections = recall_calls.connect(state, address, token_file, api_key_file, insecure=insecure)
    if out is not None:
        posts = connections.run(lambda connections: write_entries(connections, recall_id, out))
        done = {"file": str(out), "posts": posts}
        give_json(done) if as_json else say(f"{out} has {counted(posts, 'post')}, a row for each.")
    elif as_json:
        connections.run(lambda connections: tell_lines(connections, recall_id))
    else:
        connections.run(lambda connections: tell_tables(connections, recall_id))


async def write_entries(connections: Connections, recall_id: str, out: Path) -> int:
    """Writes the file, and says how many posts it has. Raises Refusal and OSError, and leaves none then."""
    with EntriesFile(out) as file:
        async for page in recall_calls.entry_pages(connections, recall_id):
            file.write(page)
        return file.posts


async def tell_lines(connections: Connections, recall_id: str) -> None:
    """A JSON document for each entry."""
    async for page in recall_calls.entry_pages(connections, recall_id):
        for entry in page:
            give_line(plain_entry(entry))


async def tell_tables(connections: Connections, recall_id: str) -> None:
    """A table for each page, so that the first one does not wait for the last."""
    async for page in recall_calls.entry_pages(connections, recall_id):
        show(table(("=withdrawal", "=decision", "license", ">posts", "which"), lines(page)))
    note("All posts in a file: sluice recall entries ID --out posts.csv")


def lines(page: Sequence[RecallEntry]) -> list[tuple[object, ...]]:
    """A row for each release of each withdrawal."""
    found: list[tuple[object, ...]] = []
    for entry in page:
        for release in entry.releases:
            ids = post_ids(release)
            shown = " ".join(map(str, ids[:3])) + (" ..." if len(ids) > 3 else "")
            found.append((entry.withdrawal_id, release.decision_id, release.license_id, len(ids), shown))
    return found


def plain_entry(entry: RecallEntry) -> dict[str, Any]:
    """An entry as JSON values."""
    return {
        "withdrawal_id": entry.withdrawal_id,
        "releases": [
            {
                "decision_id": release.decision_id,
                "license_id": release.license_id,
                "post_ids": post_id_texts(release),
            }
            for release in entry.releases
        ],
    }
