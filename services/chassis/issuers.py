"""Issuers elsewhere whose tokens are believed of subjects and agents, and of nobody else.

Any OpenID Connect provider will do: an operator names its keys, and says which claim holds the id of a
subject. Whatever else its tokens say is not read: no kind, no role, no sandbox and no service comes of it.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from services.chassis.claims import party_of, subject_id_of, subjects_of
from services.chassis.clock import Clock
from services.chassis.fetched_keys import FetchedKeys
from services.chassis.fetching import Fetcher, source_of
from services.chassis.identity import Principal, PrincipalKind
from services.chassis.jwks import Jwks, usable_keys
from services.chassis.public_hosts import PublicHosts
from services.chassis.refusals import Refusal, precondition
from services.chassis.settings import ServiceSettings
from services.chassis.verifying import KeySet, TokenIssuer, TokenVerifier

MINUTE_US = 60_000_000

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Said = Annotated[str, Field(min_length=1, max_length=512)]


class IssuerEntry(BaseModel):
    """One issuer, as the file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    """How this platform calls it: stands before the party of its agents, so that nobody's are another's."""
    issuer: Said
    """The `iss` claim of its tokens."""
    audience: Said
    """The `aud` claim of those that are for us: that alone, or in a list of one."""
    jwks_url: str | None = None
    """https://, or http://127.0.0.1 for trying things out."""
    jwks_file: Path | None = None
    kinds: frozenset[Literal["subject", "agent"]] = frozenset({"subject"})
    """Whom it may vouch for."""
    subject_claim: Said = "sub"
    """Which claim of a subject's token holds the subject's id, as a decimal string: one that nobody can set
    for themselves. `email` counts where `email_verified` is true."""
    mapping: Mapping[str, str] | None = None
    """The subject's id by what that claim says, where it is not the id; who is not listed is nobody."""
    kept_minutes: int = Field(60, ge=0, le=24 * 60)
    """For how long keys of a URL are used beyond their age while no others are to be had."""

    @field_validator("kinds")
    @classmethod
    def _somebody(cls, kinds: frozenset[str]) -> frozenset[str]:
        if not kinds:
            raise ValueError("an issuer vouches for somebody")
        return kinds

    @field_validator("jwks_url")
    @classmethod
    def _leads_somewhere(cls, url: str | None) -> str | None:
        if url is not None:
            source_of(url)
        return url

    @field_validator("mapping")
    @classmethod
    def _to_subjects(cls, mapping: Mapping[str, str] | None) -> Mapping[str, str] | None:
        for subject_id in (mapping or {}).values():
            subject_id_of(subject_id)
        return mapping

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("an issuer has a jwks_url or a jwks_file")
        return self


class IssuerFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuers: Sequence[IssuerEntry]


def verifier_of(settings: ServiceSettings, clock: Clock, hosts: PublicHosts | None = None) -> TokenVerifier:
    """Believes our own issuer, and those of the file that the settings name.

    Raises Refusal TOKEN_ISSUERS_WRONG (precondition), KEYS_UNAVAILABLE where a key file cannot be read.
    """
    entries = [] if settings.token_issuers is None else read_issuers(settings.token_issuers)
    if settings.token_issuer in {entry.issuer for entry in entries}:
        raise _wrong("the issuer of this installation itself is not listed")
    keys = [_keys_of(entry, clock, hosts) for entry in entries]
    return TokenVerifier(
        settings.token_jwks,
        settings.token_issuer,
        settings.token_audience,
        clock,
        others=[token_issuer(entry, each) for entry, each in zip(entries, keys, strict=True)],
        errands=[each for each in keys if isinstance(each, FetchedKeys)],
    )


def read_issuers(path: Path) -> Sequence[IssuerEntry]:
    """The issuers of a YAML or JSON file; raises Refusal (precondition, TOKEN_ISSUERS_WRONG)."""
    try:
        read = IssuerFile.model_validate(yaml.safe_load(path.read_bytes()))
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise _wrong(f"{path} cannot be used: {'; '.join(wrong)}") from error
    except (OSError, yaml.YAMLError, RecursionError) as error:
        raise _wrong(f"{path} cannot be read as YAML or JSON") from error
    for field in ("name", "issuer"):
        said = [getattr(entry, field) for entry in read.issuers]
        if len(set(said)) != len(said):
            raise _wrong(f"{path} cannot be used: each issuer has a {field} of its own")
    return read.issuers


def token_issuer(entry: IssuerEntry, keys: KeySet) -> TokenIssuer:
    """An issuer of the file, with its keys."""
    return TokenIssuer(entry.issuer, (entry.audience, [entry.audience]), keys, _reader(entry))


def _keys_of(entry: IssuerEntry, clock: Clock, hosts: PublicHosts | None) -> KeySet:
    if entry.jwks_file is not None:
        return Jwks(entry.jwks_file, usable_keys)
    assert entry.jwks_url is not None
    fetcher = Fetcher(source_of(entry.jwks_url), hosts)
    return FetchedKeys(entry.issuer, fetcher, clock, kept_us=entry.kept_minutes * MINUTE_US)


def _reader(entry: IssuerEntry) -> Callable[[Mapping[str, Any], int], Principal]:
    """Reads a subject, or an agent where the token lists for whom it acts; nothing else comes of it."""

    def mapped(said: object) -> object:
        return said if entry.mapping is None else entry.mapping[party_of(said)]

    def read(claims: Mapping[str, Any], expires_us: int) -> Principal:
        kind = PrincipalKind.AGENT if "subjects" in claims else PrincipalKind.SUBJECT
        if kind.value not in entry.kinds:
            raise ValueError(f"its issuer vouches for no {kind.value}")
        if kind is PrincipalKind.SUBJECT:
            _check_verified(entry.subject_claim, claims)
            party = str(subject_id_of(mapped(claims[entry.subject_claim])))
            return Principal(kind, party, frozenset(), expires_us=expires_us)
        subjects = subjects_of(claims["subjects"], mapped)
        party = party_of(f"{entry.name}/{party_of(claims['sub'])}")
        return Principal(kind, party, frozenset(), expires_us=expires_us, subjects=subjects)

    return read


def _check_verified(claim: str, claims: Mapping[str, Any]) -> None:
    """Raises ValueError for an address that its issuer has not seen to be the bearer's (OpenID Connect Core,
    5.1): at many providers anybody can enter anybody's.
    """
    if claim == "email" and claims.get("email_verified") is not True:
        raise ValueError("an e-mail address that is not verified says who nobody is")


def _wrong(message: str) -> Refusal:
    return precondition("TOKEN_ISSUERS_WRONG", message)
