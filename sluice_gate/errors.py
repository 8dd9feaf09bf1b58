"""Everything that a gate raises.

GateError
├── FormError           the file of posts cannot be read in the form asked for
├── JobRefused          a job cannot start or resume; nothing was asked and nothing written
├── CallRefused         licensing refused a call, or did not answer it
├── AnswerInvalid       licensing's answer does not fit what was asked; nothing is delivered on it
└── VerificationError   a receipt, or something it speaks of, is not what it claims to be
"""


class GateError(Exception):
    """Something that the caller must be told."""

    def __init__(self, reason: str, message: str) -> None:
        """`reason` is a stable UPPER_SNAKE word for programs; `message` is for people."""
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class FormError(GateError):
    """The file of posts cannot be read in the form asked for."""


class JobRefused(GateError):  # noqa: N818 - a refusal, by the glossary
    """A job cannot start or resume; nothing was asked and nothing written."""


class CallRefused(GateError):  # noqa: N818 - as above
    """Licensing refused a call, or did not answer it."""

    def __init__(
        self, reason: str, message: str, *, passing: bool, retry_after_us: int | None = None
    ) -> None:
        """`passing`: the same call may be sent again. `retry_after_us`: not before, if it says so."""
        super().__init__(reason, message)
        self.passing = passing
        self.retry_after_us = retry_after_us


class AnswerInvalid(GateError):  # noqa: N818 - what it says of the answer
    """Licensing's answer does not fit what was asked; nothing is delivered on it."""


class VerificationError(GateError):
    """A receipt, or something it speaks of, is not what it claims to be."""
