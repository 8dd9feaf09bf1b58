"""Where a bundle is written: a folder that is not there yet, by way of one beside it."""

from pathlib import Path

from services.chassis.refusals import Refusal, precondition


def free_folder(bundle: Path) -> Path:
    """The folder in which a bundle is made before it gets its name; neither of them is there.

    Raises Refusal (precondition, BUNDLE_EXISTS), and OSError where a link leads round in a circle.
    """
    # "." and ".." have no name until they are resolved; a link that leads nowhere is there too.
    whole = bundle.resolve()
    if bundle.is_symlink() or whole.exists():
        raise _exists(f"{bundle} is there already, and is not written over")
    unfinished = whole.with_name(f"{whole.name}.unfinished")
    if unfinished.is_symlink() or unfinished.exists():
        raise _exists(
            f"{unfinished} is there already, left over from an export that was cut off; it may be removed"
            " unless one is running"
        )
    return unfinished


def _exists(message: str) -> Refusal:
    return precondition("BUNDLE_EXISTS", message)
