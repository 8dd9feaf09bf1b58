"""Has a process write down each work that it hands to the threads of its database, below what makes spans.

Python imports this by itself where its folder is on the path. It does nothing unless NOTED_WORK names a file.
A line has the trace and the span that were the current ones, so that spans can be held against it; the trace
is 32 zeros outside of any. And the process has patience with its collector: a busy machine loses no spans.
"""

import json
import os
from collections.abc import Callable
from typing import Any

FILE = os.environ.get("NOTED_WORK")
PATIENCE_SECONDS = 60.0


def _note(operation: str, database: str, work: object) -> None:
    from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

    from services.chassis.database_spans import function_name

    current = get_current_span().get_span_context()
    line = {
        "trace": format_trace_id(current.trace_id),
        "parent": format_span_id(current.span_id),
        "name": f"{operation} {database}",
        "function": function_name(work),
    }
    # One write of one short line: lines of several processes do not mix.
    with open(str(FILE), "a", encoding="utf-8") as file:  # noqa: PTH123
        file.write(json.dumps(line) + "\n")


def _noting(call: Any, operation: str, named: Callable[[Any, Any], tuple[str, object]]) -> Any:
    def noted(self: Any, first: Any, *args: Any, **keywords: Any) -> Any:
        _note(operation, *named(self, first))
        return call(self, first, *args, **keywords)

    return noted


def _be_patient() -> None:
    from services.chassis import span_queue, telemetry

    changed: Any = telemetry
    changed.EXPORT_SECONDS = PATIENCE_SECONDS
    changed = span_queue
    changed.FLUSH_SECONDS = PATIENCE_SECONDS


def _begin() -> None:
    from services.chassis.database import Database
    from services.chassis.group_commit import GroupCommit, Share

    changed: Any = Database
    changed._submit_read = _noting(Database._submit_read, "read", lambda self, read: (self.name, read.query))
    changed.read_each = _noting(Database.read_each, "read", lambda self, work: (self.name, work))
    commits: Any = GroupCommit
    commits.submit = _noting(
        GroupCommit.submit,
        "write",
        lambda self, unit: (self._name, unit.run if isinstance(unit, Share) else unit),
    )


if FILE:
    _be_patient()
    _begin()
