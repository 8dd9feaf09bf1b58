"""The contracts desk over gRPC: translates, calls, translates."""

import base64
import binascii
from typing import Any

from google.protobuf.message import Message

from services.chassis.clock import Clock
from services.chassis.identity import PrincipalKind, current_principal
from services.chassis.refusals import Refusal, invalid
from services.chassis.replays import replay_key
from services.chassis.serving import Bolt
from services.licensing.contracts import Amendment, ContractDesk, Wanted, unknown_license
from services.licensing.domain.licenses import License, LicenseState, Step
from services.licensing.domain.terms import digest_of
from services.licensing.rpc.license_messages import (
    activation_of,
    change_message,
    license_message,
    licensee_message,
    recipient_message,
    terms_of,
    version_message,
)
from sluice.licensing.v1 import contract_service_pb2 as pb
from sluice.licensing.v1 import contract_service_pb2_grpc as pb_grpc
from sluice.licensing.v1 import license_pb2

FULL_NAME = "sluice.licensing.v1.ContractService"
DEFAULT_PAGE_SIZE = 50
DEFAULT_RECIPIENTS = 100
LARGEST_NUMBER = 2**31 - 1
"""As many as a database's integer holds."""

StepRequest = pb.SuspendLicenseRequest | pb.ResumeLicenseRequest | pb.TerminateLicenseRequest


class ContractServicer(pb_grpc.ContractServiceServicer):
    """`sluice.licensing.v1.ContractService`."""

    def __init__(self, desk: ContractDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def CreateLicensee(  # noqa: N802
        self, request: pb.CreateLicenseeRequest, context: Any
    ) -> pb.CreateLicenseeResponse:
        asked, key = request.licensee, replay_key("CreateLicensee", request)
        answer = await self._desk.create_licensee(
            asked.licensee_id,
            asked.display_name,
            key,
            lambda licensee: stored(licensee_message(licensee)),
        )
        return pb.CreateLicenseeResponse(licensee=license_pb2.Licensee.FromString(answer))

    async def ListLicensees(  # noqa: N802
        self, request: pb.ListLicenseesRequest, context: Any
    ) -> pb.ListLicenseesResponse:
        size = request.page_size or DEFAULT_PAGE_SIZE
        # One more than asked for tells whether there is a next page.
        after = read_page_token(request.page_token)
        licensees = await self._desk.licensees(after, size + 1, request.licensee_ids)
        return pb.ListLicenseesResponse(
            licensees=[licensee_message(licensee) for licensee in licensees[:size]],
            next_page_token=page_token(licensees[size - 1].licensee_id) if len(licensees) > size else "",
        )

    async def ListRecipients(  # noqa: N802
        self, request: pb.ListRecipientsRequest, context: Any
    ) -> pb.ListRecipientsResponse:
        size, after = request.page_size or DEFAULT_RECIPIENTS, read_page_token(request.page_token)
        page = await self._desk.recipients(after, size)
        return pb.ListRecipientsResponse(
            recipients=[recipient_message(recipient) for recipient in page.found],
            next_page_token="" if page.looked_up_to is None else page_token(page.looked_up_to),
        )

    async def CreateLicense(  # noqa: N802
        self, request: pb.CreateLicenseRequest, context: Any
    ) -> pb.CreateLicenseResponse:
        terms, key = terms_of(request.terms), replay_key("CreateLicense", request)
        answer = await self._desk.create_license(request.license_id, terms, key, stored_license)
        return pb.CreateLicenseResponse(license=license_pb2.License.FromString(answer))

    async def ActivateLicense(  # noqa: N802
        self, request: pb.ActivateLicenseRequest, context: Any
    ) -> pb.ActivateLicenseResponse:
        activation, key = activation_of(request), replay_key("ActivateLicense", request)
        answer = await self._desk.activate(
            request.license_id, activation, request.reason, key, stored_license
        )
        return pb.ActivateLicenseResponse(license=license_pb2.License.FromString(answer))

    async def CheckTerms(self, request: pb.CheckTermsRequest, context: Any) -> pb.CheckTermsResponse:  # noqa: N802
        terms = terms_of(request.terms)
        terms.check()
        return pb.CheckTermsResponse(terms_digest=digest_of(terms.document()))

    async def AmendLicense(  # noqa: N802
        self, request: pb.AmendLicenseRequest, context: Any
    ) -> pb.AmendLicenseResponse:
        amendment = Amendment(terms_of(request.terms), request.base_digest, request.reason)
        key = replay_key("AmendLicense", request)
        answer = await self._desk.amend(request.license_id, amendment, key, stored_license)
        return pb.AmendLicenseResponse(license=license_pb2.License.FromString(answer))

    async def WithdrawAmendment(  # noqa: N802
        self, request: pb.WithdrawAmendmentRequest, context: Any
    ) -> pb.WithdrawAmendmentResponse:
        key = replay_key("WithdrawAmendment", request)
        answer = await self._desk.withdraw(
            request.license_id, request.version, request.reason, key, stored_license
        )
        return pb.WithdrawAmendmentResponse(license=license_pb2.License.FromString(answer))

    async def ListLicenseVersions(  # noqa: N802
        self, request: pb.ListLicenseVersionsRequest, context: Any
    ) -> pb.ListLicenseVersionsResponse:
        size, inside = request.page_size or DEFAULT_PAGE_SIZE, own_licensee() is None
        license = await self._own(request.license_id)
        below = number_below(request.page_token)
        # One more than asked for tells whether there is a next page.
        found = await self._desk.versions(license.license_id, below, size + 1, drafts=inside)
        return pb.ListLicenseVersionsResponse(
            versions=[version_message(version, reasons=hears_reasons()) for version in found[:size]],
            next_page_token=page_token(str(found[size - 1].version)) if len(found) > size else "",
        )

    async def ListLicenseChanges(  # noqa: N802
        self, request: pb.ListLicenseChangesRequest, context: Any
    ) -> pb.ListLicenseChangesResponse:
        size, below = request.page_size or DEFAULT_PAGE_SIZE, number_below(request.page_token)
        # One more than asked for tells whether there is a next page.
        lines = await self._desk.history(request.license_id, below, size + 1)
        return pb.ListLicenseChangesResponse(
            changes=[change_message(line) for line in lines[:size]],
            next_page_token=page_token(str(lines[size - 1].number)) if len(lines) > size else "",
        )

    async def SuspendLicense(  # noqa: N802
        self, request: pb.SuspendLicenseRequest, context: Any
    ) -> pb.SuspendLicenseResponse:
        return pb.SuspendLicenseResponse(license=await self._take(Step.SUSPEND, request))

    async def ResumeLicense(  # noqa: N802
        self, request: pb.ResumeLicenseRequest, context: Any
    ) -> pb.ResumeLicenseResponse:
        return pb.ResumeLicenseResponse(license=await self._take(Step.RESUME, request))

    async def TerminateLicense(  # noqa: N802
        self, request: pb.TerminateLicenseRequest, context: Any
    ) -> pb.TerminateLicenseResponse:
        return pb.TerminateLicenseResponse(license=await self._take(Step.TERMINATE, request))

    async def GetLicense(self, request: pb.GetLicenseRequest, context: Any) -> pb.GetLicenseResponse:  # noqa: N802
        license = await self._own(request.license_id)
        return pb.GetLicenseResponse(license=told_license(license, self._clock.now_us()))

    async def ListLicenses(self, request: pb.ListLicensesRequest, context: Any) -> pb.ListLicensesResponse:  # noqa: N802
        if not may_ask_about(request.licensee_id):
            return pb.ListLicensesResponse()
        after, own, now_us = read_page_token(request.page_token), own_licensee(), self._clock.now_us()
        states = frozenset(LicenseState(state) for state in request.states)
        wanted = Wanted(own or request.licensee_id or None, states, drafts=own is None)
        page = await self._desk.page(wanted, after, request.page_size or DEFAULT_PAGE_SIZE)
        return pb.ListLicensesResponse(
            licenses=[told_license(license, now_us) for license in page.found],
            next_page_token="" if page.looked_up_to is None else page_token(page.looked_up_to),
        )

    async def _own(self, license_id: str) -> License:
        """A license that the caller may see; raises Refusal LICENSE_UNKNOWN."""
        license, own = await self._desk.current(license_id), own_licensee()
        if own is not None and not (license.terms.licensee_id == own and license.is_told):
            raise unknown_license()
        return license

    async def _take(self, step: Step, request: StepRequest) -> license_pb2.License:
        key = replay_key(f"{step.name.title()}License", request)
        answer = await self._desk.take_step(request.license_id, step, request.reason, key, stored_license)
        return license_pb2.License.FromString(answer)


def bolt(desk: ContractDesk, clock: Clock) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_ContractServiceServicer_to_server, ContractServicer(desk, clock), FULL_NAME)


def own_licensee() -> str | None:
    """The only licensee whose licenses the caller may see; None for those who may see all."""
    caller = current_principal()
    return caller.party if caller.kind is PrincipalKind.LICENSEE else None


def hears_reasons() -> bool:
    """Whether the caller is told why operators did something; these words were not written for others."""
    return current_principal().kind in {PrincipalKind.OPERATOR, PrincipalKind.AUDITOR}


def may_ask_about(licensee_id: str) -> bool:
    """Whether there may be anything for the caller; of another licensee there is nothing to be seen."""
    return own_licensee() is None or licensee_id in {"", own_licensee()}


def told_license(license: License, now_us: int) -> license_pb2.License:
    """A license as the caller may see it."""
    return license_message(license, now_us, drafts=own_licensee() is None, reasons=hears_reasons())


def stored_license(license: License, now_us: int) -> bytes:
    """The answer to a write: the license as it stands then."""
    return stored(license_message(license, now_us))


def stored(message: Message) -> bytes:
    """The bytes of a message; the same message has the same bytes."""
    return message.SerializeToString(deterministic=True)


def page_token(last_id: str) -> str:
    """Where the next page begins, in a form that nobody should read."""
    return base64.urlsafe_b64encode(last_id.encode()).decode()


def number_below(token: str) -> int:
    """Below which version, or which change, the next page begins; raises Refusal PAGE_TOKEN_INVALID."""
    last = read_page_token(token)
    if not last:
        return LARGEST_NUMBER
    if not (last.isascii() and last.isdecimal() and len(last) <= 9):
        raise page_token_invalid()
    return int(last)


def page_token_invalid() -> Refusal:
    """The refusal of a token that no page gave."""
    return invalid("PAGE_TOKEN_INVALID", "this is no token of an earlier page", field="page_token")


def read_page_token(token: str) -> str:
    """The id that the page before ended with, "" for the first page; raises Refusal PAGE_TOKEN_INVALID."""
    try:
        last_id = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise page_token_invalid() from error
    # What else there is no id has, and a database may not even hold it.
    if not (last_id.isascii() and last_id.isprintable()):
        raise page_token_invalid()
    return last_id
