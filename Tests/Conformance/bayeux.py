"""Proves /bayeux with aiocometd-ng, a Bayeux client of others.

Usage: bayeux.py DEVICE-PORT SIGNAL-PORT SERVICE-KEY ACCOUNT DEVICE AUTHOR FRONTIER TYPE
where TYPE is websocket or long-polling. The token is ACCOUNT:DEVICE, as the server under test takes
it. Prints what came; the caller judges.
"""
import asyncio
import json
import sys

import aiohttp
from aiocometd_ng import Client, ConnectionType
from aiocometd_ng.extensions import Extension

device_port, signal_port, key, account, device, author, frontier, kind = sys.argv[1:]


class Hello(Extension):
    """Puts what a hello carries into the handshake."""

    async def outgoing(self, payload, headers):
        for message in payload:
            if message["channel"] == "/meta/handshake":
                token = f"{account}:{device}"
                message["ext"] = {"higgins": {"token": token, "frontier": frontier}}

    async def incoming(self, payload, headers=None):
        pass


async def publish(session, sequence):
    signal = {"account": account, "device": author, "sequence": sequence}
    async with session.post(
        f"http://127.0.0.1:{signal_port}/v1/signals",
        json=signal,
        headers={"Authorization": f"Bearer {key}"},
    ) as response:
        assert response.status == 200, response.status


def note(loop, context):
    # This client reads the result of what it has cancelled itself.
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


async def main():
    asyncio.get_running_loop().set_exception_handler(note)
    client = Client(
        f"http://127.0.0.1:{device_port}/bayeux",
        connection_types=ConnectionType(kind),
        extensions=[Hello()],
    )
    async with client, aiohttp.ClientSession() as session:
        print("connected", client.connection_type.value)
        await client.subscribe("/account/signals")
        print("subscribed", sorted(client.subscriptions))
        message = await asyncio.wait_for(client.receive(), 10)
        print("behind", json.dumps(message["data"]))
        for sequence in range(1, 4):
            await publish(session, sequence)
            message = await asyncio.wait_for(client.receive(), 10)
            assert message["channel"] == "/account/signals", message
            print("signal", json.dumps(message["data"]["sequence"]))
        await client.unsubscribe("/account/signals")
        print("subscribed", sorted(client.subscriptions))
    print("closed", client.closed)


asyncio.run(asyncio.wait_for(main(), 30))
