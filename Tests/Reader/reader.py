"""Reads what Higgins sealed, from the text of Formats.md and Protocol.md alone.

    python3 reader.py FOLDER

FOLDER holds the recorded examples (Tests/VaultTests/Golden). Starting from passphrase and kit the
reader opens the slot, derives every key, verifies the membership chain, and opens commit, row and
snapshot; it shares no code with the program. It prints one line for each thing that holds and ends
with an error at the first that does not.

Needs PyNaCl, argon2-cffi and cryptography.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct
import sys

import argon2.low_level
import nacl.bindings
import nacl.exceptions
import nacl.signing
from cryptography.hazmat.primitives import hashes, poly1305
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SUITE = 1
BLOCK = 65536
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Refused(Exception):
    """The bytes are not what they claim to be."""


def require(holds, what):
    if not holds:
        raise Refused(what)


class Reader:
    """The fields of a layout in order, integers big-endian."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        require(count >= 0 and self.at + count <= len(self.data), "too short")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def text(self):
        return self.take(self.number(2)).decode()

    def frontier(self):
        heads = [(self.take(16), self.number(8), self.take(32)) for _ in range(self.number(1))]
        devices = [head[0] for head in heads]
        require(len(heads) <= 64 and devices == sorted(set(devices)), "frontier")
        return {device: (sequence, digest) for device, sequence, digest in heads}

    def end(self):
        require(self.at == len(self.data), "bytes too many")


def sha256(data):
    return hashlib.sha256(data).digest()


def derive(material, purpose, salt, count=32):
    """HKDF-SHA256 with the purpose's label as info."""
    info = b"ctx/v1/" + purpose.encode()
    return HKDF(hashes.SHA256(), count, salt, info).derive(material)


def open_sealed(ciphertext, additional, nonce, key):
    """XChaCha20-Poly1305 (IETF)."""
    try:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            ciphertext, additional, nonce, key
        )
    except nacl.exceptions.CryptoError:
        raise Refused("it does not open") from None


def padded_length(count):
    length = count + 4
    if length <= BLOCK:
        size = 512
        while size < length:
            size *= 2
        return size
    exponent = length.bit_length() - 1
    last = exponent - exponent.bit_length()
    return (length + (1 << last) - 1) >> last << last


def unpad(data):
    reader = Reader(data)
    plaintext = reader.take(reader.number(4))
    rest = reader.take(len(data) - reader.at)
    require(len(data) == padded_length(len(plaintext)) and not any(rest), "padding")
    return plaintext


def verify(key, domain, data):
    """Ed25519: the last 64 bytes sign the domain and all before them."""
    try:
        nacl.signing.VerifyKey(key).verify(domain + data[:-64], data[-64:])
    except (nacl.exceptions.BadSignatureError, ValueError):
        raise Refused("signature") from None


def unbase(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# Membership


class Membership:
    """The chain of who may write."""

    def __init__(self):
        self.account = self.account_key = None
        self.devices, self.joined, self.hashes, self.replaced = {}, {}, [], []
        self.names = {}

    def append(self, data):
        reader = Reader(data)
        require(reader.take(4) == b"MEM1" and reader.number(1) == SUITE, "magic")
        kind, account, number = reader.number(1), reader.take(16), reader.number(8)
        previous, signer_kind, signer = reader.take(32), reader.number(1), reader.take(16)
        reader.frontier()
        body = json.loads(reader.take(reader.number(4)))
        reader.take(64)
        reader.end()
        require(self.account in (None, account), "account")
        require(number == len(self.hashes), "number")
        require(previous == (self.hashes[-1] if self.hashes else bytes(32)), "previous")
        if kind == 1:
            require(number == 0 and signer_kind == 2, "genesis")
            key = unbase(body["accountKey"])
        else:
            require(number > 0 and kind in (2, 4), "kind")
            require(signer_kind == 1 or (signer_kind == 2 and kind == 2), "signer")
            require(signer_kind == 2 or signer in self.devices, "signer is no member")
            key = self.account_key if signer_kind == 2 else self.devices[signer]["signing"]
        verify(key, b"ctx/v1/membership", data)
        if kind == 1:
            self.account, self.account_key = account, key
        if kind == 4:
            require(bytes.fromhex(body["replaced"]) == signer, "replaced")
            self.replaced.append(signer)
        self.add(body["device"])
        self.hashes.append(sha256(data))

    def add(self, device):
        name = bytes.fromhex(device["device"])
        keys = {
            field: unbase(device[field + "Key"])
            for field in ("signing", "sealing", "authentication")
        }
        taken = {key for other in self.devices.values() for key in other.values()}
        require(name not in self.devices and name != bytes(16), "device id")
        require(len(set(keys.values())) == 3, "device keys")
        require(not taken & set(keys.values()), "device keys")
        require(self.account_key not in keys.values() and len(self.devices) < 64, "devices")
        self.devices[name], self.joined[name] = keys, len(self.hashes)
        self.names[name] = unbase(device["sealedName"])


# Envelopes


def open_envelope(data, membership, key_of, types):
    """Header and plaintext of a commit or manifest, verified."""
    reader = Reader(data)
    require(reader.take(4) == b"CTX1" and reader.number(1) == SUITE, "magic")
    kind, account, vault = reader.number(1), reader.take(16), reader.number(4)
    epoch, device, sequence = reader.number(4), reader.take(16), reader.number(8)
    previous, member_head, seen = reader.take(32), reader.take(32), reader.frontier()
    nonce = reader.take(24)
    length = reader.number(4)
    additional = data[: reader.at]
    ciphertext = reader.take(length)
    reader.take(64)
    reader.end()
    require(kind in types and account == membership.account and vault == 0, "header")
    require(member_head in membership.hashes, "member head")
    require(device in membership.devices, "the author is no member")
    since = membership.hashes.index(member_head)
    require(membership.joined[device] <= since, "the author was no member yet")
    verify(membership.devices[device]["signing"], b"ctx/v1/commit", data)
    plaintext = unpad(open_sealed(ciphertext, additional, nonce, key_of(epoch)))
    header = {"device": device, "sequence": sequence, "previous": previous, "seen": seen}
    return header, plaintext, epoch


# Snapshots


def hchacha20(key, nonce):
    """The first and last row of the ChaCha20 permutation, nothing added."""
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xFFFFFFFF
            mixed = state[z] ^ state[x]
            state[z] = (mixed << turn | mixed >> (32 - turn)) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            quarter(
                column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4
            )
    return struct.pack("<8I", *state[:4], *state[12:])


def chacha20(key, nonce, block, data):
    algorithm = algorithms.ChaCha20(key, struct.pack("<I", block) + nonce)
    return Cipher(algorithm, mode=None).encryptor().update(data)


class Stream:
    """A snapshot's chunks in order, by the steps that Formats.md gives."""

    def __init__(self, key, header):
        require(len(header) == 24, "stream")
        self.key, self.tail, self.counter = hchacha20(key, header[:16]), header[16:], 1

    def pull(self, chunk, additional, is_last):
        count = len(chunk) - 17
        require(count > 0 and count % BLOCK == 0, "chunk")
        nonce = struct.pack("<I", self.counter) + self.tail
        # What is sent of the tag's block is its first byte; the rest are enciphered zeros.
        stream = chacha20(self.key, nonce, 1, bytes(64))
        tag = chunk[0] ^ stream[0]
        ciphertext = chunk[1:-16]
        mac = poly1305.Poly1305(chacha20(self.key, nonce, 0, bytes(32)))
        mac.update(additional + bytes(-len(additional) % 16))
        mac.update(chunk[:1] + stream[1:])
        mac.update(ciphertext)
        mac.update(struct.pack("<QQ", len(additional), 64 + count))
        authenticator = mac.finalize()
        require(hmac.compare_digest(authenticator, chunk[-16:]), "chunk")
        require(tag == (3 if is_last else 0), "end of the stream")
        message = chacha20(self.key, nonce, 2, ciphertext)
        self.tail = bytes(a ^ b for a, b in zip(self.tail, authenticator))
        self.counter += 1
        length = int.from_bytes(message[:4], "big")
        require(-(-(length + 4) // BLOCK) * BLOCK == count, "blocks")
        require(not any(message[4 + length :]), "padding")
        return message[4 : 4 + length]


def open_snapshot(manifest, chunks, membership, roots):
    """The frontier and the pieces of a snapshot."""

    def key_of(epoch):
        return derive(roots[epoch], "snapshot-manifest", membership.account)

    header, text, epoch = open_envelope(manifest, membership, key_of, {4})
    require(header["device"] not in header["seen"], "dependencies")
    require(header["sequence"] > 0 or header["previous"] == bytes(32), "dependencies")
    contents = json.loads(text)
    digests = [unbase(digest) for digest in contents["chunks"]]
    require(len(digests) == max(contents["pieces"], 1) == len(chunks), "number of chunks")
    require(sum(map(len, chunks)) == contents["bytes"], "length of the chunks")
    key = derive(roots[epoch], "snapshot", membership.account)
    stream = Stream(key, unbase(contents["stream"]))
    pieces = []
    for position, chunk in enumerate(chunks):
        require(sha256(chunk) == digests[position], "digest of a chunk")
        additional = b"ctx/v1/snapshot" + membership.account
        pieces.append(stream.pull(chunk, additional, position == len(chunks) - 1))
    frontier = dict(header["seen"])
    if header["sequence"]:
        frontier[header["device"]] = (header["sequence"], header["previous"])
    return frontier, pieces if contents["pieces"] else [], unbase(contents["root"])


# The way in: passphrase and kit


def kit_secret(text):
    symbols = "".join(text.split()).replace("-", "").upper()
    symbols = symbols.replace("O", "0").replace("I", "1").replace("L", "1")
    number = 0
    for symbol in symbols[:32]:
        number = number << 5 | CROCKFORD.index(symbol)
    secret = number.to_bytes(20, "big")
    check = int.from_bytes(sha256(b"ctx/v1/kit" + secret)[:3], "big") >> 4
    expected = "".join(CROCKFORD[check >> shift & 31] for shift in (15, 10, 5, 0))
    require(symbols[32:] == expected, "checksum of the kit")
    return secret


def argon2id(passphrase, salt, memory, passes):
    require(65536 <= memory <= 1048576 and 3 <= passes <= 10, "hashing")
    return argon2.low_level.hash_secret_raw(
        passphrase.encode(), salt, passes, memory, 1, 32, argon2.low_level.Type.ID, 19
    )


def open_slot(data, passphrase, secret):
    """What a slot holds: account id, name, root keys, and the newest record's digest."""
    reader = Reader(data)
    require(reader.take(4) == b"SLT1" and reader.number(1) == SUITE, "magic")
    require(reader.number(1) == 1, "kind of the slot")
    account, _ = reader.take(16), reader.number(4)
    memory, passes, salt = reader.number(4), reader.number(4), reader.take(16)
    commitment, nonce, length = reader.take(32), reader.take(24), reader.number(4)
    additional = data[: reader.at]
    ciphertext = reader.take(length)
    reader.end()
    key = derive(argon2id(passphrase, salt, memory, passes) + secret, "slot", account)
    expected = hmac.digest(key, b"ctx/v1/slot-commit", "sha256")
    require(hmac.compare_digest(expected, commitment), "passphrase or kit")
    contents = Reader(unpad(open_sealed(ciphertext, additional, nonce, key)))
    name = contents.text()
    roots = {contents.number(4): contents.take(32) for _ in range(contents.number(2))}
    contents.take(32)
    head = contents.take(32)
    contents.frontier()
    contents.end()
    return account, name, roots, head


def open_name(device, sealed, account, root):
    additional = b"NAM1\x01" + account + device
    key = derive(root, "name", account)
    return json.loads(unpad(open_sealed(sealed[24:], additional, sealed[:24], key)))


def refuses(what, body):
    try:
        body()
    except Refused:
        return
    raise Refused(f"took {what} for good")


def load(folder, name):
    fields = json.loads((folder / f"{name}.json").read_text())
    return {
        key.removesuffix("Hex"): bytes.fromhex(value) if key.endswith("Hex") else value
        for key, value in fields.items()
    }


def main(folder):
    account_file, commit = load(folder, "account"), load(folder, "commit")
    pairing, replacement = load(folder, "pairing"), load(folder, "replacement")
    recorded = load(folder, "snapshot")

    secret = kit_secret(account_file["kit"])
    require(secret == account_file["accountSecret"], "secret of the kit")
    account, name, roots, head = open_slot(
        account_file["slot"], account_file["passphrase"], secret
    )
    require(name == account_file["accountName"], "account name")
    require(roots[0] == account_file["epoch0Root"], "root key")
    print("slot: opens with passphrase and kit")

    chain = Membership()
    chain.append(account_file["genesis"])
    require(chain.account == account and chain.hashes[-1] == head, "the slot's chain")
    device = next(iter(chain.devices))
    opened = open_name(device, chain.names[device], account, roots[0])
    require(opened == {"name": "home pc", "platform": "Debian 12"}, "device name")
    print("genesis: verifies, and the device's name opens")
    paired = Membership()
    paired.append(account_file["genesis"])
    paired.append(pairing["addition"])
    print("addition: verifies")
    replaced = Membership()
    replaced.append(account_file["genesis"])
    replaced.append(replacement["record"])
    require(replaced.replaced == [replacement["replaced"]], "replaced device")
    require(replacement["device"] in replaced.devices, "new device")
    require(replaced.hashes[-1] == replacement["hash"], "digest of the record")
    print("replacement: verifies")

    def data_key(epoch):
        return derive(roots[epoch], "data", account)

    _, plaintext, _ = open_envelope(commit["envelope"], chain, data_key, {1})
    require(plaintext == commit["plaintext"].encode(), "plaintext of the commit")
    require(sha256(commit["envelope"]) == commit["hash"], "digest of the commit")
    print("commit: verifies and opens")
    row, binding = commit["row"], commit["binding"].encode()
    additional = b"ROW1\x01" + account + device + binding
    require(row[0] == SUITE, "suite of the row")
    row_text = open_sealed(row[25:], additional, row[1:25], commit["rowKey"])
    require(row_text == commit["plaintext"].encode(), "plaintext of the row")
    print("row: opens")

    manifest = recorded["manifest"]
    chunks = [recorded["chunk0"], recorded["chunk1"]]
    frontier, pieces, root = open_snapshot(manifest, chunks, chain, roots)
    require(pieces == [recorded["piece0"], recorded["piece1"]], "pieces")
    require(root == recorded["root"] and sha256(manifest) == recorded["id"], "root and id")
    require(frontier[device][0] == 4 and len(frontier) == 2, "frontier")
    print("snapshot: verifies and opens")

    def changed(data, position):
        return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]

    for position in range(0, len(manifest), 7):
        refuses("a changed manifest", lambda: open_snapshot(
            changed(manifest, position), chunks, chain, roots))
    for position in (0, 1, 70, BLOCK, BLOCK + 16):
        refuses("a changed chunk", lambda: open_snapshot(
            manifest, [changed(chunks[0], position), chunks[1]], chain, roots))
    for wrong in (chunks[::-1], chunks[:1], chunks + chunks[1:], []):
        refuses("rearranged chunks", lambda: open_snapshot(manifest, wrong, chain, roots))
    stream_key = derive(roots[0], "snapshot", account)
    require(stream_key == recorded["snapshotKey"], "key of the chunks")
    print("changed and rearranged snapshots: refused")


if __name__ == "__main__":
    try:
        main(pathlib.Path(sys.argv[1]))
    except Refused as reason:
        sys.exit(f"refused: {reason}")
