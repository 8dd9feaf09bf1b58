"""When the interpreter looks for garbage: not while a program is loaded, of which nothing goes away again.

A fifth of what it takes to load a service would be spent on looking through its modules again and again.
"""

import gc


def hold_off() -> None:
    """No look from now on; for the first lines of a program, which goes on with `look_from_now_on`."""
    gc.disable()


def look_from_now_on() -> None:
    """What is there by now is there for good, and is not looked through again."""
    gc.freeze()
    gc.enable()
