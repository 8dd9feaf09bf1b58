"""`sluice keys`: the keys that the local installation signs with."""

import enum
from typing import Annotated

import typer

from services.chassis.clock import SystemClock
from services.chassis.keys import KeyPair
from services.chassis.minting import LONGEST_LIFETIME_US
from services.chassis.refusals import invalid
from services.chassis.rotation import SLACK_US, ListedKey, announce, listed, revoke, rotate
from services.console import durations, moments, options
from services.console.installation import StateFolder
from services.console.local_pages import prepare_pages
from services.console.output import give_json, note, show, table

app = typer.Typer(help="The keys that this installation signs with.", no_args_is_help=True)


class SigningKey(enum.StrEnum):
    """What a key signs."""

    TOKEN = "token"  # noqa: S105 - a word, not a token
    RECEIPT = "receipt"
    CHECKPOINT = "checkpoint"


class LastingKey(enum.StrEnum):
    """Those of them that sign what is kept."""

    RECEIPT = "receipt"
    CHECKPOINT = "checkpoint"


Which = Annotated[
    SigningKey, typer.Argument(metavar="WHICH", help="Which key: token, receipt or checkpoint.")
]


@app.callback()
def signing_keys() -> None:
    """The keys that this installation signs with."""


@app.command("init")
def init(*, state: options.State = options.DEFAULT_STATE, as_json: options.AsJson = False) -> None:
    """Make the folders of an installation, its keys and those of the pages' sessions; what is there is kept.

    `sluice up` does so by itself. This is for those who start the services otherwise, or bring the keys to
    where they sign.
    """
    folder = StateFolder(state)
    keys = folder.prepare()
    prepare_pages(folder)
    files = [keys.tokens, keys.receipts, keys.checkpoints]
    if as_json:
        give_json([{"private": str(pair.private), "jwks": str(pair.jwks)} for pair in files])
        return
    show(table(("private key", "published in"), [(pair.private.name, pair.jwks.name) for pair in files]))
    note(f"They are in {folder.keys}.")


@app.command("rotate")
def rotate_key(
    which: Which,
    *,
    overlap: Annotated[
        str,
        typer.Option(
            help="How long what the old key signed is still accepted: of tokens at least 1h, as long as they "
            "last; one that was minted by hand for longer ends with it. What is kept counts for ever: this "
            "is until when the old key may have signed it, at least 1m."
        ),
    ] = "1h",
    force: Annotated[
        bool, typer.Option("--force", help="Also a shorter overlap, with which tokens in use end early.")
    ] = False,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Replace a key. Services that run notice by themselves; if it is cut short, give the command again."""
    overlap_us = options.duration_us(overlap, "--overlap")
    check_overlap(which, overlap_us, force=force)
    keys = rotate(pair_of(StateFolder(state), which), SystemClock(), overlap_us)
    if not as_json:
        note("The new key signs from now on.")
        if which is not SigningKey.TOKEN:
            note("Whoever verifies needs the JWKS as it is now; every key stays in it.")
    tell(keys, as_json=as_json)


@app.command("announce")
def announce_key(
    which: Which, *, state: options.State = options.DEFAULT_STATE, as_json: options.AsJson = False
) -> None:
    """Publish the next key and go on signing with this one, so that others know it before it signs.

    `sluice keys rotate` goes on from there, whenever it is given.
    """
    keys = announce(pair_of(StateFolder(state), which), SystemClock())
    if not as_json:
        note("The next key is published; it signs once you rotate.")
    tell(keys, as_json=as_json)


@app.command("revoke")
def revoke_key(
    which: Annotated[
        LastingKey, typer.Argument(metavar="WHICH", help="Of which keys: receipt or checkpoint.")
    ],
    kid: Annotated[str, typer.Argument(metavar="KID", help="Id of the key, as `sluice keys list` has it.")],
    *,
    since: Annotated[
        str, typer.Option(help="From when on somebody else may have had it: 2026-01-31T12:00:00Z.")
    ],
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Say of a key that was replaced that somebody else may have it. It cannot be taken back.

    Receipts under it that were decided since then are refused by whoever verifies with the JWKS as it is now;
    that others are as old as they say, only a checkpoint from before shows. Checkpoints under it count for
    nothing.
    """
    moment = options.moment(since, "--since")
    if moment is None:
        raise typer.BadParameter("a time is needed", param_hint="--since")
    pair = pair_of(StateFolder(state), SigningKey(which.value))
    tell(revoke(pair, kid, moment.ToMicroseconds(), SystemClock().now_us()), as_json=as_json)


@app.command("list")
def list_(
    which: Which = SigningKey.TOKEN,
    *,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """List the published keys of one sort, those of tokens unless said, and what each of them is for."""
    pair = pair_of(StateFolder(state), which)
    tell(listed(pair, SystemClock().now_us()), as_json=as_json)


def check_overlap(which: SigningKey, overlap_us: int, *, force: bool) -> None:
    """Raises Refusal (invalid, OVERLAP_TOO_SHORT) for one after which something honest is refused."""
    if which is SigningKey.TOKEN:
        if overlap_us < LONGEST_LIFETIME_US and not force:
            lasting, given = durations.words(LONGEST_LIFETIME_US), durations.words(overlap_us)
            message = f"tokens last up to {lasting}: after an overlap of {given} some in use would be refused"
            raise invalid("OVERLAP_TOO_SHORT", f"{message}; to withdraw a stolen key at once, add --force")
    elif overlap_us < SLACK_US:
        # Nothing makes good a receipt that is dated after the end of its key because a clock was ahead.
        message = f"what is signed with this key is kept: it takes an overlap of {durations.words(SLACK_US)}"
        raise invalid("OVERLAP_TOO_SHORT", f"{message}; what a stolen key signed is for `sluice keys revoke`")


def pair_of(folder: StateFolder, which: SigningKey) -> KeyPair:
    """Where a key lies; raises Refusal (precondition, STATE_MISSING)."""
    keys = folder.existing_keys()
    match which:
        case SigningKey.TOKEN:
            return keys.tokens
        case SigningKey.RECEIPT:
            return keys.receipts
        case SigningKey.CHECKPOINT:
            return keys.checkpoints


def tell(keys: list[ListedKey], *, as_json: bool) -> None:
    """Says which keys there are."""
    if as_json:
        give_json(
            [
                {
                    "kid": key.kid,
                    "state": key.state.value,
                    "until": None if key.until_us is None else moments.written(moments.from_us(key.until_us)),
                }
                for key in keys
            ]
        )
        return
    rows = [(key.kid, key.state.value, "" if key.until_us is None else face_of(key.until_us)) for key in keys]
    show(table(("=key", "state", "until"), rows))


def face_of(until_us: int) -> str:
    """A time for people."""
    return moments.clock_face(moments.from_us(until_us))
