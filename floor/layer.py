"""The channel layer as the floor uses it: commands one way, answers back. In memory or over Redis, the same words."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from typing import Any, Final

from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer

log = logging.getLogger(__name__)

SEND_S: Final = 2.0
"""A layer that doesn't take a message in this time (a Redis that is frozen) will not get it in time."""

RETRY_S: Final = 1.0
"""Full jitter up to this between two tries to listen."""


class NotSent(Exception):
    """The layer did not take the message. It may have left all the same when the layer was too slow to say so."""


async def send(channel: str, message: dict[str, Any]) -> None:
    """Raises ``NotSent``, and ``ChannelFull`` where the layer has a bound."""
    layer = get_channel_layer()
    assert layer is not None
    try:
        async with asyncio.timeout(SEND_S):
            await layer.send(channel, message)
    except ChannelFull:
        raise
    except Exception as error:
        raise NotSent(f"{type(error).__name__}: {error}") from error


async def messages(channel: str) -> AsyncIterator[dict[str, Any]]:
    """What comes on this channel, for ever; what goes wrong in between is logged once and survived."""
    layer = get_channel_layer()
    assert layer is not None
    complained = False
    while True:
        try:
            message = await layer.receive(channel)
        except Exception as error:  # noqa: BLE001  # whatever a layer raises, the floor must go on
            if not complained:
                complained = True
                log.warning("nothing can be heard on %s: %s: %s", channel, type(error).__name__, error)
            # A channel whose subscription failed is in the layer's books all the same (channels_redis 4.3.0), and
            # would be waited on for ever: out with it, so that the next try subscribes.
            getattr(layer, "channels", {}).pop(channel, None)
            await asyncio.sleep(random.uniform(0, RETRY_S))
            continue
        if complained:
            complained = False
            log.info("%s is heard again", channel)
        yield message
