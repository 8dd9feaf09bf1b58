"""`sluice release`: posts out of one file, those that may leave into another."""

import asyncio
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer

from services.chassis.refusals import Refusal, precondition
from services.console import moments, options
from services.console.connections import addresses
from services.console.credentials import PIPELINE, TokenSource, api_key_source, token_source
from services.console.installation import StateFolder
from services.console.output import give_json, note, progress, say, show, table
from services.console.secure_channels import certificates_for, credentials_of
from sluice_gate.answers import OF_THE_SANDBOX, SANDBOX_KEY
from sluice_gate.asking import DEFAULT_GIVE_UP_AFTER_US
from sluice_gate.batching import DEFAULT_BATCH_POSTS, MAX_BATCH_POSTS
from sluice_gate.client import LicensingClient
from sluice_gate.errors import JobRefused
from sluice_gate.job import ReleaseJob
from sluice_gate.journal import run_of
from sluice_gate.plan import DEFAULT_IN_FLIGHT, Plan
from sluice_gate.posts import Broken
from sluice_gate.reading.forms import Format, PostForm, detect
from sluice_gate.reading.plain_form import Names
from sluice_gate.report import Ended, Report
from sluice_gate.tokens import ApiKeyTokens, exchanging

LICENSING = "licensing"
"""The service, and what its certificate calls it."""
BROKEN_LINES_NAMED = 10
EXIT_REFUSED = 1
EXIT_RESUMABLE = 3
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells say it
ENDED_AT_ONCE = "ENDED_AT_ONCE"
"""The job had no time to say how far it came; its journal knows."""

OnProgress = Callable[[int, int, Report], None]
OnRun = Callable[[str], None]


Posts = Annotated[Path, typer.Argument(help="File of posts.", exists=True, dir_okay=False)]
Out = Annotated[
    Path, typer.Option(help="File for the posts that may go; must not exist yet.", dir_okay=False)
]
Form = Annotated[Format | None, typer.Option(help="Form of the file. Else told from its first lines.")]
Map = Annotated[
    str, typer.Option(help="Where facts stand: id=tweet_id,author=user_id; kind==post for all posts.")
]
Zone = Annotated[
    str | None, typer.Option(help="Zone of times that name none: UTC, or an offset like +02:00.")
]
BatchSize = Annotated[int, typer.Option(help="Posts asked for at once.", min=1, max=MAX_BATCH_POSTS)]
InFlight = Annotated[int, typer.Option(help="Batches asked for at the same time.", min=1, max=64)]
Resume = Annotated[str | None, typer.Option(metavar="RUN", help="Go on with a run that stopped.")]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait until an allowance has room again, instead of stopping.")
]
GiveUpAfter = Annotated[
    float, typer.Option(help="Seconds to repeat a call that licensing does not answer.", min=0)
]


def release(
    posts: Posts,
    *,
    license: Annotated[
        str, typer.Option(help="The license under which they would go.", parser=options.name_id)
    ],
    purpose: Annotated[str, typer.Option(help="What for, such as ai_training_generative.")],
    out: Out,
    format: Form = None,
    map: Map = "",
    zone: Zone = None,
    batch_size: BatchSize = DEFAULT_BATCH_POSTS,
    in_flight: InFlight = DEFAULT_IN_FLIGHT,
    resume: Resume = None,
    wait: Wait = False,
    give_up_after: GiveUpAfter = DEFAULT_GIVE_UP_AFTER_US / 1e6,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    api_key_file: options.ApiKeyFile = None,
    insecure: options.Insecure = False,
    as_json: options.AsJson = False,
) -> None:
    """Write the posts that may leave to another file, in the same form, byte for byte.

    Beside OUT stand its journal, receipts and manifest. Exits with 3 when the run stopped and can be resumed,
    and with 1 when that alone does not help: licensing refused, or the file ends inside an open quote.
    """
    form = PostForm(format or detect(posts), Names.parse(map), zone)
    plan = Plan(
        posts,
        out,
        license,
        options.purpose_number(purpose),
        form,
        batch_size=batch_size,
        in_flight=in_flight,
        wait=wait,
        give_up_after_us=microseconds_of(give_up_after, "--give-up-after"),
    )
    folder = StateFolder(state)
    target = addresses(folder, {LICENSING: address})[LICENSING]
    encrypted = credentials_of(certificates_for(folder))
    if api_key_file is not None:
        tokens: TokenSource = tokens_of_key(target, api_key_file, encrypted, insecure=insecure)
    else:
        tokens = token_source(folder, token_file, PIPELINE)
    try:
        report = asyncio.run(run_job(plan, target, tokens, resume, encrypted))
    except JobRefused as refusal:
        raise with_its_run(refusal, plan) from refusal
    if report is None:
        note("Stopped before anything was asked; there is nothing to resume.")
        raise typer.Exit(EXIT_INTERRUPTED)
    tell(report, plan, as_json=as_json)
    raise typer.Exit(exit_code(report))


def tokens_of_key(
    target: str, api_key_file: Path, encrypted: grpc.ChannelCredentials | None, *, insecure: bool
) -> ApiKeyTokens:
    """Tokens for the key in a file. Raises Refusal SANDBOX_KEY, for which no file need be made; GateError."""
    key = api_key_source(api_key_file)
    tokens = ApiKeyTokens(exchanging(target, key, encrypted, insecure=insecure, server_name=LICENSING))
    if tokens.sandbox:
        raise precondition(SANDBOX_KEY, OF_THE_SANDBOX)
    return tokens


def microseconds_of(seconds: float, option: str) -> int:
    """What an option says in seconds; raises typer.BadParameter where that is no number."""
    try:
        return int(seconds * 1_000_000)
    except (ValueError, OverflowError):
        raise typer.BadParameter("a number of seconds is expected", param_hint=option) from None


class Releasing:
    """A job with its connection to licensing."""

    def __init__(
        self,
        plan: Plan,
        target: str,
        tokens: TokenSource,
        on_progress: OnProgress,
        on_run: OnRun | None = None,
        *,
        encrypted: grpc.ChannelCredentials | None = None,
    ) -> None:
        """`on_run` gets the id of the run before anything is asked. Needs a running event loop."""
        self._client = LicensingClient(target, tokens, credentials=encrypted, server_name=LICENSING)
        self._job = ReleaseJob(plan, self._client, on_run=on_run, on_progress=on_progress)

    async def run(self, resume: str | None = None) -> Report:
        """Starts the job, or takes up a run of it. Raises GateError, before anything was asked."""
        try:
            return await (self._job.resume(resume) if resume else self._job.start())
        finally:
            await self._client.close()

    def stop(self) -> None:
        """Ends the job soon and in good order."""
        self._job.stop()


def exit_code(report: Report) -> int:
    """0 when it finished, 1 when resuming alone does not help, else 3: resume it."""
    if report.ended is Ended.FINISHED:
        return 0
    return EXIT_RESUMABLE if report.resumable and report.ended is not Ended.REFUSED else EXIT_REFUSED


def figures(report: Report) -> list[tuple[str, Any]]:
    """The table of a run: what was asked, what came of it, and how fast."""
    return [
        ("asked", report.asked),
        ("released", report.released),
        *((f"  denied, {reason.lower()}", count) for reason, count in report.denied.most_common()),
        ("broken lines", report.broken),
        ("receipts", report.receipts),
        *([("posts per second", round(report.posts_per_second))] if report.session_posts else []),
    ]


def with_its_run(refusal: JobRefused, plan: Plan) -> Refusal:
    """The refusal, and how to go on where what stands in the way is a run that was cut short."""
    in_the_way = refusal.reason in {"OUT_EXISTS", "JOURNAL_EXISTS"}
    run = run_of(plan.files.journal) if in_the_way else None
    go_on = f". Go on with: {resume_command(sys.argv[1:], run)}" if run else ""
    return precondition(refusal.reason, refusal.message + go_on)


async def run_job(
    plan: Plan,
    target: str,
    tokens: TokenSource,
    resume: str | None,
    encrypted: grpc.ChannelCredentials | None = None,
) -> Report | None:
    """The first Ctrl-C ends the job in good order, the next one at once; None if before it had begun."""
    run: str | None = None
    with progress() as bar:
        task = bar.add_task(plan.posts.name, total=None)

        def on_progress(done: int, size: int, report: Report) -> None:
            said = f"{plan.posts.name}: {report.asked:,} asked, {report.released:,} released"
            bar.update(task, completed=done, total=size, description=said)

        def on_run(begun: str) -> None:
            nonlocal run
            run = begun
            # Now, for whoever is killed can tell nobody.
            go_on = resume_command(sys.argv[1:], begun)
            bar.console.print(f"Run {begun}. Should it be cut short, go on with: {go_on}", soft_wrap=True)

        releasing = Releasing(plan, target, tokens, on_progress, on_run, encrypted=encrypted)
        running = asyncio.ensure_future(releasing.run(resume))
        _stop_on_signals(releasing, running)
        try:
            return await running
        except asyncio.CancelledError:
            if run is None:
                return None
            # Nothing is lost: what the journal does not know was not delivered.
            report = Report(run)
            report.end(Ended.INTERRUPTED, ENDED_AT_ONCE, "it was ended at once")
            return report


def _stop_on_signals(releasing: Releasing, running: "asyncio.Future[Report]") -> None:
    asked_to_stop = False

    def on_signal() -> None:
        nonlocal asked_to_stop
        if asked_to_stop:
            running.cancel()
        asked_to_stop = True
        releasing.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)


def tell(report: Report, plan: Plan, *, as_json: bool) -> None:
    """Says what a job has done, why it ended, and how to go on."""
    if as_json:
        give_json(_plain(report, plan))
        return
    if report.reason != ENDED_AT_ONCE:
        show(table(("", ">posts"), figures(report)))
    if report.broken_named:
        named = [(_lines(broken), broken.reason) for broken in report.broken_named[:BROKEN_LINES_NAMED]]
        show(table((">line", "broken, and so not released"), named))
    for problem in report.problems:
        note(f"Look into this: {problem}")
    if report.reason == SANDBOX_KEY:
        # Whoever comes again with this key is told the same again.
        note(f"Stopped ({SANDBOX_KEY}): {report.message}.")
        return
    if report.resumable:
        _tell_how_to_resume(report)
        return
    if report.ended is Ended.OPEN_QUOTE:
        note(f"Not all of it was released ({report.reason}): {report.message}.")
        note("What came before is released. Mend the file, and release those lines to another name.")
        say(f"Check what was released with: sluice receipt verify {plan.out}")
    else:
        say(f"Done. Check it with: sluice receipt verify {plan.out}")
    if report.last_decision_id:
        say(f"See its last decision with: sluice trace {report.last_decision_id}")


def _lines(broken: Broken) -> str:
    """Where a broken record stands: its line, or the first and the last of them."""
    return str(broken.line) if broken.lines == 1 else f"{broken.line}\u2013{broken.last_line}"


def _tell_how_to_resume(report: Report) -> None:
    note(f"Stopped ({report.reason or report.ended.name}): {report.message or report.ended.value}.")
    if report.unconfirmed:
        note(f"{report.unconfirmed} deliveries are still to be confirmed; resuming does that.")
    if report.retry_at_us is not None:
        note(f"There is room again by {moments.clock_face(moments.from_us(report.retry_at_us))}.")
    elif report.ended is Ended.NO_ROOM:
        note("Nobody knows when there is room again: it takes others to give back what they hold.")
    note(f"Go on with: {resume_command(sys.argv[1:], report.run)}")


def resume_command(arguments: list[str], run: str) -> str:
    """The command line that goes on with a run that `arguments` began or resumed."""
    kept = [
        argument
        for before, argument in zip(["", *arguments], arguments, strict=False)
        if before != "--resume" and argument != "--resume" and not argument.startswith("--resume=")
    ]
    return shlex.join(["sluice", *kept, "--resume", run])


def _plain(report: Report, plan: Plan) -> dict[str, Any]:
    files = plan.files
    return {
        "run": report.run,
        "ended": report.ended.name.lower(),
        "reason": report.reason,
        "message": report.message,
        "asked": report.asked,
        "released": report.released,
        "denied": dict(report.denied),
        "broken": report.broken,
        "broken_lines": [
            {"line": broken.line, "last_line": broken.last_line, "reason": broken.reason}
            for broken in report.broken_named
        ],
        "receipts": report.receipts,
        "unconfirmed": report.unconfirmed,
        "problems": report.problems,
        "retry_at": moments.written(moments.from_us(report.retry_at_us)) if report.retry_at_us else None,
        "posts_per_second": round(report.posts_per_second, 1),
        "last_decision_id": report.last_decision_id,
        "files": {
            "out": str(files.out),
            "journal": str(files.journal),
            "receipts": str(files.receipts),
            "manifest": str(files.manifest),
        },
    }
