"""`sluice keys`: the keys that the local installation signs with."""

import enum
from typing import Annotated

import typer

from services.chassis.clock import SystemClock
from services.chassis.minting import LONGEST_LIFETIME_US
from services.chassis.refusals import Refusal, invalid
from services.chassis.rotation import KeyPair, ListedKey, listed, rotate
from services.console import durations, moments, options
from services.console.installation import StateFolder
from services.console.output import give_json, note, show, table

app = typer.Typer(help="The keys that this installation signs with.", no_args_is_help=True)


class SigningKey(enum.StrEnum):
    """What a key signs."""

    TOKEN = "token"  # noqa: S105 - a word, not a token


@app.callback()
def signing_keys() -> None:
    """The keys that this installation signs with."""


@app.command("rotate")
def rotate_key(
    which: Annotated[SigningKey, typer.Argument(metavar="WHICH", help="Which key: token.")],
    *,
    overlap: Annotated[
        str,
        typer.Option(
            help="How long what the old key signed is still accepted: at least 1h, as long as tokens last. "
            "One that was minted by hand for longer ends with it."
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
    if overlap_us < LONGEST_LIFETIME_US and not force:
        raise too_short(overlap_us)
    keys = rotate(pair_of(StateFolder(state), which), SystemClock().now_us(), overlap_us)
    if not as_json:
        note("The new key signs from now on.")
    tell(keys, as_json=as_json)


@app.command("list")
def list_(
    *,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """List the published keys of tokens, and what each of them is for."""
    pair = pair_of(StateFolder(state), SigningKey.TOKEN)
    tell(listed(pair, SystemClock().now_us()), as_json=as_json)


def too_short(overlap_us: int) -> Refusal:
    """The refusal of an overlap that ends before the tokens do."""
    lasting, given = durations.words(LONGEST_LIFETIME_US), durations.words(overlap_us)
    message = f"tokens last up to {lasting}: after an overlap of {given} some in use would be refused"
    return invalid("OVERLAP_TOO_SHORT", f"{message}; to withdraw a stolen key at once, add --force")


def pair_of(folder: StateFolder, which: SigningKey) -> KeyPair:
    """Where a key lies; raises Refusal (precondition, STATE_MISSING)."""
    keys = folder.existing_keys()
    match which:
        case SigningKey.TOKEN:
            return KeyPair(keys.token_private, keys.token_jwks)


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
    show(table(("=key", "state", "accepted until"), rows))


def face_of(until_us: int) -> str:
    """A time for people."""
    return moments.clock_face(moments.from_us(until_us))
