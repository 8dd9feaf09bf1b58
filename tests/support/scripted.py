"""A server that answers as it is told, over the wire, for tests of commands that run a loop of their own."""

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import protovalidate
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from services.chassis.refusals import Refusal
from services.chassis.statuses import DETAILS_KEY, code_of, to_status

Step = Message | Refusal | Callable[[], None]
"""An answer; how the call ends; or something that happens in between."""


class Script(grpc.GenericRpcHandler):
    """Answers to calls by the name of their RPC, in order; the last one again and again."""

    def __init__(self) -> None:
        self.address = ""
        self.asked: dict[str, list[Any]] = defaultdict(list)
        """Requests by RPC. Each keeps the rules of its contract, else the call fails."""
        self._answers: dict[str, list[Sequence[Step]]] = {}
        self._lock = threading.Lock()

    def answer(self, rpc: str, *answers: Step) -> None:
        """One answer for each call."""
        self._answers[rpc] = [[answer] for answer in answers]

    def stream(self, rpc: str, *streams: Sequence[Step]) -> None:
        """One stream of answers for each call."""
        self._answers[rpc] = list(streams)

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Serves every RPC that there is an answer for."""
        service, _, rpc = handler_call_details.method.lstrip("/").partition("/")
        if rpc not in self._answers:
            return None
        method = descriptor_pool.Default().FindServiceByName(service).FindMethodByName(rpc)
        parse = message_factory.GetMessageClass(method.input_type).FromString
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(
                lambda request, context: self._stream(rpc, request, context), parse, _written
            )
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: next(self._stream(rpc, request, context)), parse, _written
        )

    def _stream(self, rpc: str, request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
        protovalidate.validate(request)
        with self._lock:
            self.asked[rpc].append(request)
            left = self._answers[rpc]
            steps = left.pop(0) if len(left) > 1 else left[0]
        for step in steps:
            if isinstance(step, Refusal):
                details = to_status(step).SerializeToString()
                context.set_trailing_metadata(((DETAILS_KEY, details),))
                context.abort(code_of(step.kind), step.message)
            elif isinstance(step, Message):
                yield step
            else:
                step()


@contextlib.contextmanager
def scripted() -> Iterator[Script]:
    """A script that is served on a free port of 127.0.0.1."""
    script = Script()
    with ThreadPoolExecutor(max_workers=4) as threads:
        server = grpc.server(threads)
        server.add_generic_rpc_handlers((script,))
        script.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield script
        finally:
            server.stop(grace=None).wait()


def _written(message: Message) -> bytes:
    return message.SerializeToString()
