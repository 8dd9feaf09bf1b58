"""`sluice certs`: the certificates with which the services of an installation speak TLS to each other."""

import datetime
import re
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from services.chassis.certificates import Certificates, end_of
from services.chassis.clock import SystemClock
from services.console import moments, options
from services.console.authority import CLIENT, Authority
from services.console.installation import StateFolder
from services.console.output import give_json, note, show, table

DAYS = 90
TRUST_DOMAIN = "sluice"

app = typer.Typer(help="The certificates that services show each other.", no_args_is_help=True)
authority = typer.Typer(help="The CA that signs them, and its successor.", no_args_is_help=True)
app.add_typer(authority, name="authority")

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def dns_name(text: str) -> str:
    """A name as certificates have it, in lower case; raises typer.BadParameter."""
    if not _DNS_NAME.fullmatch(text) or len(text) > 253:
        raise typer.BadParameter(
            f"a name in lower case is expected, such as sluice.example, not {text[:70]!r}"
        )
    return text


Out = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of the certificates; `certs` in the state folder unless said."),
]
Days = Annotated[int, typer.Option(min=1, max=825, help="How long they last.")]


@app.command("init")
def init(
    *,
    days: Days = DAYS,
    trust_domain: Annotated[
        str, typer.Option(help="Services are spiffe://THIS/NAME.", parser=dns_name)
    ] = TRUST_DOMAIN,
    dns: Annotated[
        list[str] | None,
        typer.Option(
            "--dns", help="One more name under which all servers are dialed. Repeatable.", parser=dns_name
        ),
    ] = None,
    out: Out = None,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Make a CA and a certificate for each service, the gateway and the command line; what is there is kept.

    Keys are readable by you alone. What lies in `authority` is for renewals: keep it away from the services.
    """
    held = folder_of(state, out)
    held.ensure(trust_domain, dns or [], datetime.timedelta(days=days), now())
    tell(held, as_json=as_json)


@app.command("renew")
def renew(
    *,
    days: Annotated[
        int | None, typer.Option(min=1, max=825, help="How long they last; unless said, as long as before.")
    ] = None,
    out: Out = None,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Replace all certificates and their keys by new ones of the same CA, while everything runs.

    If it is cut short, give the command again.
    """
    held = folder_of(state, out)
    held.renew(None if days is None else datetime.timedelta(days=days), now())
    tell(held, as_json=as_json)


@app.command("show")
def show_all(
    *, out: Out = None, state: options.State = options.DEFAULT_STATE, as_json: options.AsJson = False
) -> None:
    """Show who the certificates name, and until when."""
    tell(folder_of(state, out), as_json=as_json)


@authority.command("add")
def add(
    *, out: Out = None, state: options.State = options.DEFAULT_STATE, as_json: options.AsJson = False
) -> None:
    """Make another CA, which is believed beside the present one and signs from now on.

    Then bring `ca.pem` to everybody, renew the certificates, bring those, and drop the CA before.
    """
    held = folder_of(state, out)
    held.add_signer(now())
    if not as_json:
        note("Once everybody has ca.pem: `sluice certs renew`, then `sluice certs authority drop`.")
    tell(held, as_json=as_json)


@authority.command("drop")
def drop(
    *, out: Out = None, state: options.State = options.DEFAULT_STATE, as_json: options.AsJson = False
) -> None:
    """Believe the CA that signs, and none before it any more."""
    held = folder_of(state, out)
    held.drop_signers()
    tell(held, as_json=as_json)


def ensure_certificates(held: Authority) -> None:
    """Makes what is missing, as `sluice certs init` does without options."""
    known = held.trust_domain() if held.signing.exists() else TRUST_DOMAIN
    held.ensure(known, (), datetime.timedelta(days=DAYS), now())


def local_certificates(folder: StateFolder) -> Certificates:
    """Those that the command line shows to an installation that speaks TLS; what is missing is made."""
    ensure_certificates(folder.authority)
    return Certificates(folder.authority.files(CLIENT), SystemClock(), use="client")


def folder_of(state: Path, out: Path | None) -> Authority:
    """The folder that the options of a command name."""
    return StateFolder(state).authority if out is None else Authority(out)


def now() -> datetime.datetime:
    """The time in whole seconds, as certificates have it."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def tell(held: Authority, *, as_json: bool) -> None:
    """Says which certificates there are, those of CAs last."""
    rows = [(name, held.files(name).certificate, each) for name, each in held.held().items()]
    rows += [("CA", held.ca, each) for each in held.believed()]
    at = now()
    if as_json:
        give_json(
            [
                {
                    "name": name,
                    "file": str(path),
                    "names": names_of(each),
                    "until": moments.written(moments.from_us(end_of(each))),
                    "days_left": (each.not_valid_after_utc - at).days,
                    "serial": f"{each.serial_number:x}",
                }
                for name, path, each in rows
            ]
        )
        return
    shown = [
        (
            name,
            ", ".join(names_of(each)),
            moments.clock_face(moments.from_us(end_of(each))),
            left_of(each, at),
        )
        for name, _, each in rows
    ]
    show(table(("=who", "names", "until", "left"), shown))


def left_of(certificate: x509.Certificate, at: datetime.datetime) -> str:
    """How long it lasts yet, for people."""
    left = certificate.not_valid_after_utc - at
    return f"{left.days} days" if left > datetime.timedelta(0) else "ENDED"


def names_of(certificate: x509.Certificate) -> list[str]:
    """What it names, URIs first."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]
