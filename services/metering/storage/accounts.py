"""Accounts by what they are of, made where they are missing, and what is entered in them."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from services.chassis.bulk import Insertion, Question, Row
from services.metering.domain.allowances import Account, Scope
from services.metering.domain.reservations import Counts
from services.metering.domain.sheets import Entry
from services.metering.storage.rows import counts_text

_ACCOUNTS = Question(
    "SELECT a.scope, a.key, a.id, a.last_us"
    " FROM {given} CROSS JOIN accounts a WHERE a.scope = given.scope AND a.key = given.key",
    scope="smallint",
    key="text",
)
_NEW_ACCOUNTS = Insertion("accounts", {"scope": "smallint", "key": "text", "last_us": "bigint"})
_NEW_ENTRIES = Insertion(
    "entries",
    {
        "account_id": "bigint",
        "counted_at_us": "bigint",
        "number": "bigint",
        "used": "bigint",
        "held": "bigint",
        "access": "smallint",
        "counts": "text",
    },
)

Found = dict[Account, tuple[int, int]]
"""Row id and latest time of each."""


def find_accounts(connection: Connection, accounts: Iterable[Account]) -> Found:
    """Those of the accounts that there are."""
    rows = _ACCOUNTS.ask(connection, [(int(each.scope), each.id) for each in accounts])
    return {Account(Scope(scope), key): (id, last_us) for scope, key, id, last_us in rows}


def make_accounts(connection: Connection, accounts: Iterable[Account]) -> Found:
    """All of the accounts; nobody else makes any while the head is locked."""
    needed = set(accounts)
    found = find_accounts(connection, needed)
    if missing := sorted(needed - found.keys()):
        _NEW_ACCOUNTS.run(connection, [(int(each.scope), each.id, 0) for each in missing])
        found |= find_accounts(connection, missing)
    return found


def write_entries(connection: Connection, entries: Sequence[Entry], ids: Mapping[Account, int]) -> None:
    """Enters them for good."""
    rows: list[Row] = []
    last: tuple[Counts, str] = ((), "[]")
    for entry in entries:
        # One change is entered in several accounts, one after the other, with the same counts.
        if entry.counts is not last[0]:
            last = entry.counts, counts_text(entry.counts)
        posts = entry.posts
        id = ids[entry.account]
        rows.append((id, entry.at_us, entry.number, posts.used, posts.held, int(entry.access), last[1]))
    _NEW_ENTRIES.run(connection, rows)
