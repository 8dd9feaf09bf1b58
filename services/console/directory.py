"""`sluice directory`: what the local post directory knows, for licensees who ask by post id."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from services.chassis.refusals import not_found
from services.console import moments, options
from services.console.connections import Connections
from services.console.credentials import PIPELINE
from services.console.imports import progress_through, write_bad_rows
from services.console.names import word_of
from services.console.output import counted, give_json, note, say, show, table
from services.console.rows import BadRow
from sluice.directory.v1 import directory_service_pb2 as pb
from sluice.directory.v1 import directory_service_pb2_grpc as pb_grpc
from sluice.licensing.v1.post_pb2 import PostColumns
from sluice.type.v1.content_pb2 import ContentKind
from sluice_gate.batching import DEFAULT_BATCH_POSTS, batches
from sluice_gate.columns import columns_of
from sluice_gate.reading.forms import Format, PostForm, detect
from sluice_gate.reading.plain_form import Names
from sluice_gate.reading.reader import PostReader

LISTED_BAD_LINES = 20

app = typer.Typer(help="The local post directory.", no_args_is_help=True)

Address = Annotated[
    str | None,
    typer.Option(
        "--directory", metavar="HOST:PORT", help="Where it is. Else as announced in the state folder."
    ),
]


@dataclass
class Kept:
    """What became of the files."""

    posts: int = 0
    """Kept, counted once for each time that a post was sent."""
    bad: list[tuple[Path, BadRow]] = field(default_factory=list)
    """Lines that were not kept."""


@app.callback()
def directory() -> None:
    """The local post directory: what posts are, for licensees who ask by post id."""


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files of posts, as `sluice release` reads them.", exists=True, dir_okay=False),
    ],
    *,
    format: Annotated[
        Format | None, typer.Option(help="Form of the files. Else told from the first lines of each.")
    ] = None,
    map: Annotated[
        str, typer.Option(help="Where facts stand: id=tweet_id,author=user_id; kind==post for all posts.")
    ] = "",
    zone: Annotated[
        str | None, typer.Option(help="Zone of times that name none: UTC, or an offset like +02:00.")
    ] = None,
    bad_rows: options.BadRows = None,
    address: Address = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Take posts into the directory. Of an id that comes again what comes last stands.

    No text of a post is sent. Lines that cannot be read, and posts with a fault, are listed and left out;
    exits with 1 when there are any. The same files again change nothing.
    """
    # Every file is looked at before anything is sent, so that a wrong one is noticed at once.
    forms = [(file, PostForm(format or detect(file), Names.parse(map), zone)) for file in files]
    connections = Connections.open(state, token_file, PIPELINE, {"directory": address})
    kept = connections.run(lambda connections: _import_all(connections, forms))
    if bad_rows is not None:
        write_bad_rows(bad_rows, [row for _, row in kept.bad])
    _tell(kept, bad_rows, as_json=as_json)
    raise typer.Exit(1 if kept.bad else 0)


@app.command("show")
def show_one(
    post: Annotated[int, typer.Argument(metavar="ID", help="Id of the post.", parser=options.post_number)],
    *,
    address: Address = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what is known of a post."""
    connections = Connections.open(state, token_file, PIPELINE, {"directory": address})
    answer = connections.run(lambda connections: get_posts(connections, [post]))
    facts = _facts(answer.posts)
    if facts is None:
        raise not_found("POST_UNKNOWN", f"the directory knows no post {post}")
    if as_json:
        give_json(facts | {"as_of": moments.written(answer.as_of)})
        return
    embeds = ", ".join(f"{each['id']} by {each['author_id'] or 'nobody at hand'}" for each in facts["embeds"])
    lines = [(name.replace("_", " "), str(value)) for name, value in facts.items() if name != "embeds"]
    show(table(("field", "value"), [*lines, ("embeds", embeds or "none")]))


async def get_posts(connections: Connections, ids: list[int]) -> pb.GetPostsResponse:
    """What is known of posts. Raises Refusal."""
    peer = connections.peer("directory")
    return await peer.call(
        pb_grpc.PostDirectoryServiceStub(peer.channel).GetPosts, pb.GetPostsRequest(ids=ids)
    )


async def put_posts(connections: Connections, columns: PostColumns) -> pb.PutPostsResponse:
    """Keeps posts, under a fresh request id. Raises Refusal."""
    peer = connections.peer("directory")
    request = pb.PutPostsRequest(request_id=connections.new_id(), columns=columns)
    return await peer.call(pb_grpc.PostStoreServiceStub(peer.channel).PutPosts, request)


async def _import_all(connections: Connections, forms: list[tuple[Path, PostForm]]) -> Kept:
    kept = Kept()
    for file, form in forms:
        with progress_through(file) as on_progress:
            await _import_file(connections, file, form, kept, on_progress)
    return kept


async def _import_file(
    connections: Connections, file: Path, form: PostForm, kept: Kept, on_progress: Callable[[int], None]
) -> None:
    reader = PostReader(file, form)
    try:
        for batch in batches(reader, DEFAULT_BATCH_POSTS, reader.body):
            kept.bad += [(file, BadRow(each.line, "LINE_BROKEN", each.reason)) for each in batch.broken]
            if batch.records:
                answer = await put_posts(connections, columns_of([record.post for record in batch.records]))
                kept.posts += answer.posts_kept
                for each in answer.faults:
                    line = batch.records[each.position].line
                    kept.bad.append((file, BadRow(line, "POST_FAULTY", each.fault)))
            on_progress(batch.span.end)
    finally:
        reader.close()


def _tell(kept: Kept, bad_rows: Path | None, *, as_json: bool) -> None:
    if as_json:
        rejected = [{"file": str(file), **vars(row)} for file, row in kept.bad]
        give_json({"kept": kept.posts, "rejected": rejected})
        return
    say(f"{counted(kept.posts, 'post')} kept, {counted(len(kept.bad), 'line')} left out.")
    if kept.bad:
        rows = [(str(file), row.line, row.message) for file, row in kept.bad[:LISTED_BAD_LINES]]
        show(table(("file", ">line", "left out, for"), rows))
    if len(kept.bad) > LISTED_BAD_LINES:
        where = f"{bad_rows} lists them all" if bad_rows else "--bad-rows FILE lists them all"
        note(f"... and {len(kept.bad) - LISTED_BAD_LINES:,} more lines; {where}.")


def _facts(posts: PostColumns) -> dict[str, Any] | None:
    """What the columns of one post say; None of none."""
    if not posts.kinds:
        return None

    def numbers(column: bytes) -> list[int]:
        return [int.from_bytes(column[at : at + 8], "little") for at in range(0, len(column), 8)]

    embeds = zip(numbers(posts.embed_ids), numbers(posts.embed_author_ids), strict=True)
    return {
        "id": str(numbers(posts.ids)[0]),
        "author_id": str(numbers(posts.author_ids)[0]),
        "kind": word_of(ContentKind.DESCRIPTOR, posts.kinds[0]),
        "media_flags": posts.media_flags[0],
        "language": posts.languages[posts.language_indexes[0]],
        "posted_at": moments.written(moments.from_us(numbers(posts.posted_at_us)[0])),
        "embeds": [{"id": str(id), "author_id": str(author) if author else ""} for id, author in embeds],
    }
