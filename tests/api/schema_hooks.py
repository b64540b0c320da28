"""Loaded by schemathesis (SCHEMATHESIS_HOOKS): every request with another one of many tokens, so that what is tried is
the API and not its limits."""

import itertools
import os
from typing import Any

import schemathesis

_tokens = itertools.cycle(os.environ["PHOENIX_TOKENS"].split())


@schemathesis.auth(refresh_interval=None)
class Rotating:
    def get(self, case: Any, context: Any) -> str:
        return next(_tokens)

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
