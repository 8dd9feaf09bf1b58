"""What licensees say they received: the first word of each stands, and none of it changes a bill (B2)."""

from dataclasses import dataclass

from services.chassis.refusals import already_exists


@dataclass(frozen=True)
class Countersignature:
    """What a licensee said of one delivery."""

    decision_id: str
    number: int
    """Of the decision's receipt."""
    licensee_id: str
    posts: int
    """That arrived, as they say."""
    countersigned_at_us: int


@dataclass(frozen=True)
class Difference:
    """A countersignature and what counts instead."""

    countersignature: Countersignature
    license_id: str
    posts_released: int
    posts_billed: int
    """Those that the pipeline confirmed, else all that were released."""
    confirmed_at_us: int | None
    """None where the permit ended unconfirmed."""


def countersign(earlier: Countersignature | None, said: Countersignature) -> Countersignature:
    """What stands once `said` arrives. Raises Refusal (already exists, COUNTERSIGNED_OTHERWISE)."""
    if earlier is None:
        return said
    if earlier.posts != said.posts:
        raise already_exists("COUNTERSIGNED_OTHERWISE", "another countersignature of this delivery stands")
    return earlier
