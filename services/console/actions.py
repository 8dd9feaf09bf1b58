"""`sluice actions`: what operators did, and whether the logs of it are whole."""

import json
import re
from typing import Annotated, Any

import typer

from services.chassis.actions import ActionHead, Outcome
from services.chassis.refusals import precondition
from services.console import options
from services.console.action_log import Action, Checked, Filter, check, latest, merged
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.installation import SERVICES, ServiceName
from services.console.moments import clock_face, from_us, written
from services.console.output import counted, give_json, note, say, shout, show, table
from services.console.waterfall import short_name

_KNOWN = re.compile(r"(consent|metering|licensing):([1-9][0-9]{0,18}):([0-9a-f]{64})")

Service = Annotated[ServiceName | None, typer.Option(help="Only of this service. Else of all three.")]

app = typer.Typer(help="What operators did.", no_args_is_help=True)


@app.command("list")
def list_(
    *,
    service: Service = None,
    operator: Annotated[str, typer.Option(help="Only of this operator.")] = "",
    method: Annotated[
        str, typer.Option(help="Only this call, such as sluice.consent.v1.StateService/OrderHalt.")
    ] = "",
    since: Annotated[str, typer.Option(help="Only from then on, such as 2026-01-31T12:00:00Z.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")] = 100,
    consent: options.Consent = None,
    metering: options.Metering = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List what operators did, newest first: who called what and when, why, and what came of it.

    An action whose end is not on record is under way, or the process that served it died before it was done
    or could say so: ask for the thing itself.
    """
    wanted = Filter(operator, method, options.moment(since, "--since"))
    addresses = {"consent": consent, "metering": metering, "licensing": licensing}
    connections = Connections.open(state, token_file, OPERATOR, addresses)
    services = _services(service)
    logs = connections.run(lambda connections: latest(connections, services, wanted, limit))
    actions, has_more = merged(logs, limit)
    if as_json:
        give_json([as_plain(action) for action in actions])
    elif actions:
        columns = ("=when", "service", ">number", "operator", "=call", "outcome", "reason")
        show(table(columns, [_row(action) for action in actions]))
    else:
        say("No action is on record.")
    if has_more:
        note(f"These are the newest {limit}: there are more, see --limit and --since.")
    logs.check()


@app.command("verify")
def verify(
    *,
    service: Service = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE:NUMBER:DIGEST", help="An entry as an earlier check told it. May be repeated."
        ),
    ] = None,
    consent: options.Consent = None,
    metering: options.Metering = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Read the logs from their first entries on, and check that no entry was changed or taken out.

    Keep what it tells of the last entries, and give it to a later check: without that, nobody can tell
    whether entries are missing at the end, or the whole log was written anew.
    """
    heads = _known(known or [])
    addresses = {"consent": consent, "metering": metering, "licensing": licensing}
    connections = Connections.open(state, token_file, OPERATOR, addresses)
    services = _services(service)
    logs = connections.run(lambda connections: check(connections, services, heads))
    found = logs.read.values()
    if as_json:
        give_json([_checked_plain(each) for each in found])
    else:
        for each in found:
            _say(each)
        for name in logs.refused:
            shout(f"{name}: not read.")
    if any(each.fault for each in found):
        raise precondition("ACTIONS_CHANGED", "a log of actions is not as it was written")
    logs.check()


def as_plain(action: Action) -> dict[str, Any]:
    """An action as JSON values; "outcome" is null where its end is not on record."""
    entry, begun, ended = action.entry, action.begun, action.ended
    return {
        "service": action.service,
        "number": entry.number,
        "at": written(from_us(entry.at_us)),
        "operator": entry.caller.operator,
        "roles": [*entry.caller.roles],
        "method": entry.caller.method,
        "request_id": begun.request_id,
        "request": json.loads(begun.request) if begun.request else None,
        "request_digest": begun.request_digest.hex(),
        "request_bytes": begun.request_bytes,
        "reason": begun.reason,
        "trace_id": entry.caller.trace_id,
        "outcome": None if ended is None else ended.outcome.name.lower(),
        "refusal": "" if ended is None else ended.refusal,
        "ended_at": None if action.end is None else written(from_us(action.end.at_us)),
        "requests": 0 if ended is None else ended.requests,
        "answers": 0 if ended is None else ended.answers,
    }


def _services(service: ServiceName | None) -> tuple[str, ...]:
    return SERVICES if service is None else (service.value,)


def _row(action: Action) -> tuple[str, ...]:
    entry = action.entry
    return (
        clock_face(from_us(entry.at_us)),
        action.service,
        str(entry.number),
        f"{entry.caller.operator} ({', '.join(entry.caller.roles)})",
        short_name(entry.caller.method),
        _outcome_words(action),
        action.begun.reason,
    )


def _outcome_words(action: Action) -> str:
    ended = action.ended
    if ended is None:
        return "no end on record"
    words = {Outcome.DONE: "done", Outcome.REFUSED: "refused", Outcome.UNKNOWN: "not known"}[ended.outcome]
    counts = f", {counted(ended.requests, 'request')} read" if ended.requests else ""
    return words + (f": {ended.refusal}" if ended.refusal else "") + counts


def _known(given: list[str]) -> dict[str, list[ActionHead]]:
    heads: dict[str, list[ActionHead]] = {}
    for text in given:
        if (found := _KNOWN.fullmatch(text)) is None:
            raise typer.BadParameter(f"SERVICE:NUMBER:DIGEST is expected, not {text!r}", param_hint="--known")
        heads.setdefault(found[1], []).append(ActionHead(int(found[2]), bytes.fromhex(found[3])))
    return heads


def _say(checked: Checked) -> None:
    if checked.fault is not None:
        shout(f"{checked.service}: entry {checked.fault.number}: {checked.fault.what}.")
        return
    head, open_ended = checked.head, len(checked.unfinished)
    say(f"{checked.service}: {counted(head.number, 'entry', 'entries')}, none changed and none missing.")
    if open_ended:
        say(f"  {counted(open_ended, 'action')} without an end on record.")
    if head.number:
        say(f"  --known {checked.service}:{head.number}:{head.digest.hex()}")


def _checked_plain(checked: Checked) -> dict[str, Any]:
    fault = checked.fault
    return {
        "service": checked.service,
        "entries": checked.head.number,
        "digest": checked.head.digest.hex(),
        "fault": None if fault is None else {"number": fault.number, "what": fault.what},
        "without_end": [*checked.unfinished],
    }
