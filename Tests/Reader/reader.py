"""Reads what Higgins sealed, from the text of Formats.md and Protocol.md alone.

    python3 reader.py golden FOLDER          opens the recorded files (Tests/VaultTests/Golden)
    python3 reader.py cases FOLDER FILE      refuses what must not open (…/MustFail/cases.json)
    python3 reader.py account BACKUP KIT PASSPHRASE [KEYRING]
                                             opens all of an account in a server's backup, a file
                                             of `higginsd backup`, with the files of kit and
                                             passphrase, and verifies every chain; with a device's
                                             keyring also what rotations sealed for that device

Starting from passphrase and kit it opens the slot, derives every key, verifies the membership chain,
and opens commits, rows and snapshots; it shares no code with the program. It prints one line for each
thing that holds and ends with an error at the first that does not.

Needs PyNaCl, argon2-cffi and cryptography (Debian: python3-nacl, python3-argon2,
python3-cryptography).
"""

import base64
import copy
import hashlib
import hmac
import json
import pathlib
import re
import sqlite3
import struct
import sys

import argon2.low_level
import nacl.bindings
import nacl.exceptions
import nacl.signing
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, poly1305
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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
    # Python passes over what is no base64url, where a reader has to refuse it.
    require(re.fullmatch("[A-Za-z0-9_-]*", text), "base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# Membership


class Membership:
    """The chain of who may write."""

    def __init__(self):
        self.account = self.account_key = None
        self.devices, self.joined, self.hashes, self.replaced = {}, {}, [], []
        self.names = {}
        # The beginnings of epochs 1, 2, …: number of the record, cut and body.
        self.rotations = []
        # The devices that were taken out, by the epoch that began with it.
        self.revoked, self.slot_version, self.slot = {}, 1, None
        # From which record on a suite is the lowest that counts, and how the server is known.
        self.suites, self.server_keys = [(0, 1)], []

    def read(self, data):
        """The fields of a record of this chain's account."""
        reader = Reader(data)
        require(reader.take(4) == b"MEM1" and reader.number(1) == SUITE, "magic")
        kind, account, number = reader.number(1), reader.take(16), reader.number(8)
        previous, signer_kind, signer = reader.take(32), reader.number(1), reader.take(16)
        seen = reader.frontier()
        body = json.loads(reader.take(reader.number(4)))
        reader.take(64)
        reader.end()
        require(self.account in (None, account), "account")
        require(signer_kind == 1 or signer == bytes(16), "signer")
        return kind, account, number, previous, signer_kind, signer, seen, body

    def end(self, data):
        """The record by which the account was deleted, which stands in no chain."""
        kind, _, number, _, signer_kind, _, seen, body = self.read(data)
        require(kind == 10 and number > 0 and signer_kind == 2 and not seen, "the end")
        verify(self.account_key, b"ctx/v1/membership", data)
        device = bytes.fromhex(body["device"])
        require(len(device) == 16, "device id")
        return device

    def append(self, data):
        kind, account, number, previous, signer_kind, signer, seen, body = self.read(data)
        require(number == len(self.hashes), "number")
        require(previous == (self.hashes[-1] if self.hashes else bytes(32)), "previous")
        if kind == 1:
            require(number == 0 and signer_kind == 2, "genesis")
            key = unbase(body["accountKey"])
        else:
            require(number > 0 and kind in (2, 4, 5, 6, 7, 8, 9), "kind")
            require(signer_kind == 1 or (signer_kind == 2 and kind == 2), "signer")
            require(signer_kind == 2 or signer in self.devices, "signer is no member")
            require(signer_kind == 2 or signer not in self.revoked, "signer is revoked")
            key = self.account_key if signer_kind == 2 else self.devices[signer]["signing"]
        verify(key, b"ctx/v1/membership", data)
        if kind == 1:
            self.account, self.account_key = account, key
        if kind == 4:
            require(bytes.fromhex(body["replaced"]) == signer, "replaced")
            self.replaced.append((signer, bytes.fromhex(body["device"]["device"])))
        if kind == 5:
            self.rotate(signer, seen, body)
        elif kind == 6:
            self.raise_suite(body)
        elif kind == 7:
            self.trust(body)
        elif kind == 8:
            self.change_slot(body)
        elif kind == 9:
            self.rename(body)
        else:
            if kind == 2 and body.get("origin") is not None:
                self.trace(body)
            self.add(body["device"])
        self.hashes.append(sha256(data))

    def trace(self, body):
        """The word of the device that went on as the added one, from a list that gave way."""
        origin = unbase(body["origin"])
        kind, account, _, _, signer_kind, signer, _, said = self.read(origin)
        require(kind == 4 and account == self.account and signer_kind == 1, "origin")
        require(signer in self.devices and signer not in self.revoked, "origin")
        verify(self.devices[signer]["signing"], b"ctx/v1/membership", origin)
        require(bytes.fromhex(said["replaced"]) == signer, "origin")
        fields = ("device", "signingKey", "sealingKey", "authenticationKey")
        require(all(said["device"][field] == body["device"][field] for field in fields), "origin")
        self.replaced.append((signer, bytes.fromhex(body["device"]["device"])))

    def add(self, device):
        name = bytes.fromhex(device["device"])
        keys = {
            field: unbase(device[field + "Key"])
            for field in ("signing", "sealing", "authentication")
        }
        taken = {key for other in self.devices.values() for key in other.values()}
        require(len(name) == 16 and name != bytes(16), "device id")
        require(name not in self.devices, "device id")
        require(all(len(key) == 32 for key in keys.values()), "device keys")
        require(len(set(keys.values())) == 3, "device keys")
        require(not taken & set(keys.values()), "device keys")
        require(self.account_key not in keys.values() and len(self.devices) < 64, "devices")
        self.devices[name], self.joined[name] = keys, len(self.hashes)
        self.names[name] = unbase(device["sealedName"])

    def rotate(self, signer, cut, body):
        """The next epoch, with or without taking devices out."""
        require(type(body["epoch"]) is int, "epoch")
        require(body["epoch"] == len(self.rotations) + 1, "epoch")
        leaving = [bytes.fromhex(device) for device in body["revoked"]]
        require(leaving == sorted(set(leaving)) and signer not in leaving, "revoked devices")
        require(all(device in self.devices for device in leaving), "revoked devices")
        require(not any(device in self.revoked for device in leaving), "revoked devices")
        gone = {*leaving, *self.revoked}
        for old, new in self.replaced:
            require(not {old, new} & set(leaving) or {old, new} <= gone, "an identity stays")
        keys = [(bytes.fromhex(entry["device"]), unbase(entry["key"])) for entry in body["keys"]]
        staying = sorted(device for device in self.devices if device not in gone)
        require([device for device, _ in keys] == staying, "epoch keys")
        require(all(len(key) == 100 for _, key in keys), "epoch keys")
        require(len(unbase(body["commitment"])) == 32, "commitment")
        for device, (sequence, _) in self.rotations[-1][1].items() if self.rotations else ():
            require(cut.get(device, (0, b""))[0] >= sequence, "a cut before the last one")
        self.change_slot(body["slot"])
        self.rotations.append((len(self.hashes), cut, body))
        self.revoked.update(dict.fromkeys(leaving, body["epoch"]))

    def change_slot(self, slot):
        require(type(slot["version"]) is int, "version of the slot")
        require(self.slot_version < slot["version"] < 1 << 32, "version of the slot")
        require(len(unbase(slot["loginKey"])) == 32, "login key")
        require(0 < len(unbase(slot["slot"])) <= 16384, "slot")
        require(type(slot.get("isNewPassphrase", True)) is bool, "passphrase")
        hashing = slot["hashing"]
        require(all(type(hashing[field]) is int for field in ("memoryKibibytes", "passes")), "hashing")
        require(len(unbase(hashing["salt"])) == 16, "hashing")
        self.slot_version, self.slot = slot["version"], unbase(slot["slot"])

    def raise_suite(self, body):
        require(type(body["suite"]) is int, "suite")
        require(self.suites[-1][1] < body["suite"] < 256, "suite")
        self.suites.append((len(self.hashes), body["suite"]))

    def trust(self, body):
        keys = [unbase(key) for key in body["keys"]]
        require(1 <= len(keys) <= 4 and keys == sorted(set(keys)), "server keys")
        require(all(len(key) == 32 for key in keys), "server keys")
        self.server_keys = keys

    def check_suite(self, since):
        """Whether this suite may still be used by somebody who knows that record."""
        lowest = max(suite for number, suite in self.suites if number <= since)
        require(SUITE >= lowest, "an older suite")

    def rename(self, body):
        device = bytes.fromhex(body["device"])
        require(device in self.devices and device not in self.revoked, "renamed device")
        require(len(unbase(body["sealedName"])) <= 1024, "name")
        self.names[device] = unbase(body["sealedName"])

    def check_epoch(self, kind, device, sequence, epoch, since):
        """Whether a commit is of the epoch that its place in its author's chain belongs to."""
        require(epoch <= len(self.rotations), "an epoch that has not begun")
        begun = all(number <= since for number, _, _ in self.rotations[:epoch])
        require(begun, "an epoch that the author did not know")
        if kind == 4:
            return
        place = sum(cut.get(device, (0, b""))[0] < sequence for _, cut, _ in self.rotations)
        require(place < self.revoked.get(device, 1 << 32), "beyond what a revoked device could say")
        require(epoch == place, "epoch")


# Epochs


def hpke_open(private, sealed, info):
    """RFC 9180, base mode: X25519 and HKDF-SHA256, HKDF-SHA256, ChaCha20-Poly1305."""

    def labeled_extract(suite, salt, label, material):
        return hmac.digest(salt, b"HPKE-v1" + suite + label + material, "sha256")

    def labeled_expand(suite, key, label, text, count):
        text = count.to_bytes(2, "big") + b"HPKE-v1" + suite + label + text
        return HKDFExpand(hashes.SHA256(), count, text).derive(key)

    private = X25519PrivateKey.from_private_bytes(private)
    encapsulated, ciphertext = sealed[:32], sealed[32:]
    require(len(encapsulated) == 32, "encapsulated key")
    try:
        agreed = private.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    except ValueError:
        raise Refused("encapsulated key") from None
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kem, suite = b"KEM\0\x20", b"HPKE\0\x20\0\x01\0\x03"
    extracted = labeled_extract(kem, b"", b"eae_prk", agreed)
    shared = labeled_expand(kem, extracted, b"shared_secret", encapsulated + public, 32)
    context = b"\0" + labeled_extract(suite, b"", b"psk_id_hash", b"")
    context += labeled_extract(suite, b"", b"info_hash", info)
    secret = labeled_extract(suite, shared, b"secret", b"")
    key = labeled_expand(suite, secret, b"key", context, 32)
    nonce = labeled_expand(suite, secret, b"base_nonce", context, 12)
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, b"")
    except InvalidTag:
        raise Refused("it does not open") from None


def open_epoch(sealed, account, epoch, device, private):
    """The root key and the account secret that were sealed for a device."""
    require(len(sealed) == 100, "length of a sealed epoch")
    info = b"ctx/v1/epoch-key" + account + epoch.to_bytes(4, "big") + device
    opened = hpke_open(private, sealed, info)
    require(len(opened) == 52, "contents of a sealed epoch")
    return opened[:32], opened[32:]


def epochs_of(chain, device, private):
    """What every rotation sealed for a device: root keys by epoch, and the newest secret."""
    roots, secret = {}, None
    for _, _, body in chain.rotations:
        for entry in body["keys"]:
            if bytes.fromhex(entry["device"]) != device:
                continue
            epoch = body["epoch"]
            sealed = unbase(entry["key"])
            root, secret = open_epoch(sealed, chain.account, epoch, device, private)
            commitment = hmac.digest(root, b"ctx/v1/epoch-commit", "sha256")
            require(commitment == unbase(body["commitment"]), "commitment of an epoch")
            roots[epoch] = root
    return roots, secret


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
    membership.check_suite(since)
    membership.check_epoch(kind, device, sequence, epoch, since)
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


def check_covering(header):
    """Whether what a snapshot covers is written in the one way there is."""
    require(header["device"] not in header["seen"], "dependencies")
    require(header["sequence"] > 0 or header["previous"] == bytes(32), "dependencies")


def open_snapshot(manifest, chunks, membership, roots):
    """The frontier and the pieces of a snapshot."""

    def key_of(epoch):
        return derive(roots[epoch], "snapshot-manifest", membership.account)

    header, text, epoch = open_envelope(manifest, membership, key_of, {4})
    check_covering(header)
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
    values = symbols_of(text)
    require(len(values) == 36, "length of the kit")
    number = 0
    for value in values[:32]:
        number = number << 5 | value
    secret = number.to_bytes(20, "big")
    check = int.from_bytes(sha256(b"ctx/v1/kit" + secret)[:3], "big") >> 4
    require(values[32:] == [check >> shift & 31 for shift in (15, 10, 5, 0)], "checksum of the kit")
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


def open_keyring(data, passphrase):
    """The device, its local key, its signing seed and its sealing key, of a keyring file."""
    reader = Reader(data)
    require(reader.take(4) == b"KEY1" and reader.number(1) == SUITE, "magic")
    account, device = reader.take(16), reader.take(16)
    memory, passes, salt = reader.number(4), reader.number(4), reader.take(16)
    commitment, nonce, length = reader.take(32), reader.take(24), reader.number(4)
    additional = data[: reader.at]
    ciphertext = reader.take(length)
    require(sha256(data[: reader.at]) == reader.take(32), "checksum")
    reader.end()
    key = derive(argon2id(passphrase, salt, memory, passes), "local", account)
    expected = hmac.digest(key, b"ctx/v1/local-commit", "sha256")
    require(hmac.compare_digest(expected, commitment), "passphrase")
    contents = Reader(unpad(open_sealed(ciphertext, additional, nonce, key)))
    contents.text()
    for _ in range(contents.number(2)):
        contents.take(36)
    contents.take(52)
    signing, sealing, local = contents.take(32), contents.take(32), contents.take(32)
    contents.end()
    return device, local, signing, sealing


def symbols_of(text):
    """The values of Crockford's symbols, forgivingly."""
    symbols = "".join(text.split()).replace("-", "")
    require(symbols.isascii(), "symbol")
    symbols = symbols.upper().replace("O", "0").replace("I", "1").replace("L", "1")
    require(all(symbol in CROCKFORD for symbol in symbols), "symbol")
    return [CROCKFORD.index(symbol) for symbol in symbols]


def pairing_code(text):
    """Server, pin and secret of a code."""
    values = symbols_of(text)
    bits = "".join(f"{value:05b}" for value in values)
    whole = len(bits) // 8 * 8
    require(len(bits) - whole < 5 and "1" not in bits[whole:], "last symbol")
    data = bytes(int(bits[at : at + 8], 2) for at in range(0, whole, 8))
    require(len(data) > 4, "length")
    require(sha256(b"ctx/v1/pairing-code" + data[:-4])[:4] == data[-4:], "checksum of the code")
    reader = Reader(data[:-4])
    flags = reader.number(1)
    schemes = {0: "https://", 2: "http://", 8: "http+unix://"}
    require(flags >> 4 == SUITE and flags & 0x0A in schemes, "flags")
    secret = reader.take(16)
    pin = reader.take(32) if flags & 1 else None
    reader.take(10 if flags & 4 else 0)
    rest = reader.take(len(reader.data) - reader.at)
    require(0 < len(rest) <= 200 and all(0x21 <= byte <= 0x7E for byte in rest), "server")
    return schemes[flags & 0x0A] + rest.decode(), pin, secret


def open_offer(data, secret):
    """Device id, its three public keys, its name; and the six words' 60 bits."""
    reader = Reader(data)
    require(reader.take(4) == b"OFR1" and reader.number(1) == SUITE, "magic")
    nonce = reader.take(24)
    key = derive(secret, "pair-offer", b"")
    plaintext = unpad(open_sealed(data[29:], data[:29], nonce, key))
    contents = Reader(plaintext)
    device, keys = contents.take(16), [contents.take(32) for _ in range(3)]
    name = json.loads(contents.text())
    contents.end()
    info = b"ctx/v1/pair-words" + sha256(plaintext)
    words = HKDF(hashes.SHA256(), 8, b"", info).derive(secret)
    return device, keys, name, int.from_bytes(words, "big") >> 4


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


def golden(folder):
    account_file, commit = load(folder, "account"), load(folder, "commit")
    pairing, replacement = load(folder, "pairing"), load(folder, "replacement")
    recorded, rotation = load(folder, "snapshot"), load(folder, "rotation")

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
    require(replaced.replaced == [(replacement["replaced"], replacement["device"])], "replaced device")
    require(replacement["device"] in replaced.devices, "new device")
    require(replaced.hashes[-1] == replacement["hash"], "digest of the record")
    print("replacement: verifies")
    parting = load(folder, "parting")
    parted = Membership()
    parted.append(account_file["genesis"])
    parted.append(parting["record"])
    require(parted.replaced == replaced.replaced, "the identity that was said anew")
    require(parted.hashes[-1] == parting["hash"], "digest of the record")
    print("identity said anew: verifies")
    golden_rotation(paired, roots, rotation, load(folder, "keyring"))
    golden_records(copy.deepcopy(chain), device, roots, load(folder, "records"), secret)
    golden_policies(copy.deepcopy(chain), roots, load(folder, "policies"))

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


def golden_rotation(chain, roots, recorded, keyring):
    """An account whose second device was revoked: what stays, what opens, and what counts."""
    early = copy.deepcopy(chain)
    chain.append(recorded["record"])
    require(chain.hashes[-1] == recorded["hash"], "digest of the rotation")
    require(list(chain.revoked) == [recorded["revoked"]], "revoked device")
    print("rotation: verifies")

    sealed = epochs_of(chain, keyring["device"], keyring["sealingKey"])
    require(sealed == ({1: recorded["root"]}, recorded["accountSecret"]), "sealed epoch")
    none = epochs_of(chain, recorded["revoked"], recorded["revokedSealingKey"])
    require(none == ({}, None), "who leaves gets no key")
    print("sealed epoch: opens with the key of the device that stays")

    secret = kit_secret(recorded["kit"])
    require(secret == recorded["accountSecret"], "secret of the new kit")
    slot = unbase(chain.rotations[0][2]["slot"]["slot"])
    account, _, opened, head = open_slot(slot, recorded["passphrase"], secret)
    require(account == chain.account and head in chain.hashes, "the new slot")
    require(opened == {**roots, **sealed[0]}, "root keys of the new slot")
    print("new slot: opens with the new kit")

    def data_key(epoch):
        require(epoch in opened, "epoch")
        return derive(opened[epoch], "data", account)

    for name, membership in (("within", chain), ("beyond", early), ("new", chain)):
        open_envelope(recorded[name], membership, data_key, {1})
    for name in ("beyond", "oldKeys", "tooEarly"):
        refuses(name, lambda: open_envelope(recorded[name], chain, data_key, {1}))
    print("commits: open up to the cut and after it, and nothing of the revoked device beyond it")


def golden_records(chain, device, roots, recorded, secret):
    """Another passphrase, another name, and the end."""
    chain.append(recorded["slotChange"])
    account, _, opened, head = open_slot(chain.slot, recorded["passphrase"], secret)
    require(account == chain.account and opened == roots, "the new slot")
    require(head == chain.hashes[-2], "the record that the new slot names")
    print("slot change: verifies, and the slot opens with the new passphrase")
    chain.append(recorded["renaming"])
    name = open_name(device, chain.names[device], chain.account, roots[0])["name"]
    require(name == recorded["name"], "new name")
    print("renaming: verifies, and the name opens")
    require(chain.end(recorded["ending"]) == device, "who deleted the account")
    refuses("an end within a chain", lambda: chain.append(recorded["ending"]))
    require(sha256(recorded["ending"]) == recorded["endingHash"], "digest of the end")
    print("ending: verifies")


def golden_policies(chain, roots, recorded):
    """Keys of the server, and the lowest suite that counts."""

    def data_key(epoch):
        return derive(roots[epoch], "data", chain.account)

    chain.append(recorded["trust"])
    require(chain.server_keys == sorted(sha256(bytes([key])) for key in (1, 2)), "server keys")
    print("server keys: verify")
    chain.append(recorded["raise"])
    open_envelope(recorded["before"], chain, data_key, {1})
    refuses("a commit of a suite that ended", lambda: open_envelope(
        recorded["after"], chain, data_key, {1}))
    print("suite: what was sealed before it rose opens, and nothing after")


# What must not open


def wrong_bytes(case, data, seed, account_seed):
    """What a case of the corpus makes of recorded bytes."""
    data = bytearray(data)
    for offset, text in case.get("edits", []):
        new = bytes.fromhex(text)
        data[offset : offset + len(new)] = new
    if "insert" in case:
        offset, text = case["insert"]
        data[offset:offset] = bytes.fromhex(text)
    if "replace" in case:
        start, end, text = case["replace"]
        data[start:end] = bytes.fromhex(text)
    if "cut" in case:
        del data[case["cut"] :]
    data += bytes.fromhex(case.get("append", ""))
    data, fit = bytes(data), case.get("fit")
    is_envelope = case["layout"] in ("envelope", "manifest")
    domain = b"ctx/v1/commit" if is_envelope else b"ctx/v1/membership"
    if fit in ("signature", "authentication", "domain", "account"):
        seeds = {"authentication": bytes(32), "account": account_seed}
        key = nacl.signing.SigningKey(seeds.get(fit, seed))
        domain = b"ctx/v1/membership" if fit == "domain" else domain
        data = data[:-64] + key.sign(domain + data[:-64]).signature
    if fit == "checksum":
        data = data[:-32] + sha256(data[:-32])
    return data


def cases(folder, file):
    account_file, commit = load(folder, "account"), load(folder, "commit")
    pairing, replacement, keyring, rotation, records, policies, snapshot = (
        load(folder, name)
        for name in (
            "pairing", "replacement", "keyring", "rotation", "records", "policies", "snapshot")
    )
    recorded = {
        "envelope": commit["envelope"], "row": commit["row"], "slot": account_file["slot"],
        "genesis": account_file["genesis"], "addition": pairing["addition"],
        "replacement": replacement["record"], "keyring": keyring["file"],
        "offer": pairing["offer"], "pairing code": b"", "kit": b"",
        "rotation": rotation["record"], "sealed epoch": rotation["sealed"],
        "slot change": records["slotChange"], "renaming": records["renaming"],
        "ending": records["ending"], "server keys": policies["trust"],
        "suite raise": policies["raise"], "manifest": snapshot["manifest"],
        "chunk": snapshot["chunk0"], "identity said anew": load(folder, "parting")["record"],
    }
    secret = kit_secret(account_file["kit"])
    account, device = keyring["account"], keyring["device"]
    roots = {0: account_file["epoch0Root"]}
    # One hash serves all cases whose parameters are the recorded ones; others are refused before.
    hashed = {}
    plain_argon2id = argon2id

    def remembered(*arguments):
        if arguments not in hashed:
            hashed[arguments] = plain_argon2id(*arguments)
        return hashed[arguments]

    globals()["argon2id"] = remembered

    def chain(*records):
        made = Membership()
        made.account = account
        for record in records:
            made.append(record)
        return made

    def data_key(epoch):
        require(epoch in roots, "epoch")
        return derive(roots[epoch], "data", account)

    def open_row(data, binding):
        require(len(data) > 25 and data[0] == SUITE, "suite of the row")
        additional = b"ROW1\x01" + account + device + binding.encode()
        return open_sealed(data[25:], additional, data[1:25], commit["rowKey"])

    def rotate(data):
        rotated = chain(genesis, pairing["addition"], data)
        epochs_of(rotated, device, keyring["sealingKey"])

    def open_sealed_epoch(data, binding):
        places = {
            "here": (account, 1, device),
            "epoch 0": (account, 0, device),
            "epoch 2": (account, 2, device),
            "another account": (bytes(16), 1, device),
            "another device": (account, 1, rotation["revoked"]),
        }
        open_epoch(data, *places[binding], keyring["sealingKey"])

    def open_manifest(data):
        def key(epoch):
            return derive(roots[epoch], "snapshot-manifest", account)

        header, _, _ = open_envelope(data, chain(genesis), key, {4})
        check_covering(header)

    def open_chunk(data):
        chunks = [data, snapshot["chunk1"]]
        open_snapshot(snapshot["manifest"], chunks, chain(genesis), roots)

    genesis = account_file["genesis"]
    open_as = {
        "envelope": lambda data, case: open_envelope(data, chain(genesis), data_key, {1}),
        "genesis": lambda data, case: chain(data),
        "addition": lambda data, case: chain(genesis, data),
        "replacement": lambda data, case: chain(genesis, data),
        "slot change": lambda data, case: chain(genesis, data),
        "renaming": lambda data, case: chain(genesis, records["slotChange"], data),
        "ending": lambda data, case: chain(genesis).end(data),
        "server keys": lambda data, case: chain(genesis, data),
        "suite raise": lambda data, case: chain(genesis, policies["trust"], data),
        "identity said anew": lambda data, case: chain(genesis, data),
        "manifest": lambda data, case: open_manifest(data),
        "chunk": lambda data, case: open_chunk(data),
        "slot": lambda data, case: open_slot(data, account_file["passphrase"], secret),
        "keyring": lambda data, case: open_keyring(data, keyring["passphrase"]),
        "row": lambda data, case: open_row(data, case.get("binding", commit["binding"])),
        "offer": lambda data, case: open_offer(data, pairing["secret"]),
        "pairing code": lambda data, case: pairing_code(case.get("text", pairing["code"])),
        "kit": lambda data, case: kit_secret(case.get("text", account_file["kit"])),
        "rotation": lambda data, case: rotate(data),
        "sealed epoch": lambda data, case: open_sealed_epoch(data, case.get("binding", "here")),
    }
    for layout, data in recorded.items():
        open_as[layout](data, {})
    refused, passed_over = 0, set()
    for case in json.loads(file.read_text()):
        layout = case["layout"]
        if layout not in open_as:
            passed_over.add(layout)
            continue
        data = wrong_bytes(
            case, recorded[layout], keyring["signingSeed"], records["accountSeed"])
        try:
            open_as[layout](data, case)
        except (Refused, ValueError, KeyError, TypeError, AttributeError):
            refused += 1
            continue
        raise Refused(f"took {layout}: {case['name']} for good")
    print(f"{refused} cases: refused; not read: {', '.join(sorted(passed_over))}")


# A whole account


def account(backup, kit, passphrase, keyring=None):
    """Everything of an account that a server held, verified and opened."""
    database = sqlite3.connect(f"file:{backup}?mode=ro", uri=True)
    secret = kit_secret(kit.read_text())
    words = passphrase.read_text().splitlines()[0]
    found = None
    for identifier, slot in database.execute("SELECT account, slot FROM login"):
        try:
            found = identifier, open_slot(slot, words, secret)
        except Refused:
            continue
    require(found is not None, "no account opens with passphrase and kit")
    identifier, (named, name, roots, head) = found
    require(identifier == named, "account of the slot")
    print(f"slot: opens; the account is {name}")

    chain = Membership()
    rows = database.execute(
        "SELECT number, hash, bytes FROM member WHERE account = ? ORDER BY number", [identifier]
    )
    for number, digest, data in rows:
        require(number == len(chain.hashes) and digest == sha256(data), "number or digest")
        chain.append(data)
    require(chain.account == identifier, "account of the chain")
    require(head in chain.hashes, "the record that the slot names")
    names = [
        open_name(device, sealed, identifier, roots[0])["name"]
        for device, sealed in chain.names.items()
    ]
    print(f"membership: {len(chain.hashes)} records verify: {', '.join(names)}")
    if chain.slot:
        require(open_slot(chain.slot, words, secret)[2] == roots, "the slot of the newest record")
    if chain.rotations:
        gone = ", ".join(
            open_name(device, chain.names[device], identifier, roots[0])["name"]
            for device in chain.revoked
        )
        print(f"epochs: {len(chain.rotations) + 1}; revoked: {gone or 'nobody'}")
    require(set(roots) == set(range(len(chain.rotations) + 1)), "a root key for every epoch")
    if keyring:
        device, _, _, sealing = open_keyring(keyring.read_bytes(), words)
        sealed, newest = epochs_of(chain, device, sealing)
        require(all(roots[epoch] == root for epoch, root in sealed.items()), "sealed epochs")
        require(newest in (None, secret), "the account secret of a device")
        print(f"sealed epochs: {len(sealed)} open with the device's key")

    # Heads by device: the newest sequence, and the digest of every place that is known.
    known = {device: {0: bytes(32)} for device in chain.devices}
    heads = dict.fromkeys(chain.devices, 0)
    pruned = database.execute(
        "SELECT l.device, l.sequence, l.hash FROM link l JOIN device d ON d.id = l.device"
        " WHERE d.account = ?",
        [identifier],
    )
    for device, sequence, digest in pruned:
        known[device][sequence] = digest
        heads[device] = max(heads[device], sequence)
    jumps = {device for (device,) in database.execute("SELECT device FROM jump")}

    def check_seen(seen, author):
        for device, (sequence, digest) in seen.items():
            require(device in known and device != author, "a dependency on a stranger")
            require(sequence <= heads[device], "a dependency that is not there")
            held = known[device].get(sequence)
            require(held == digest or (held is None and device in jumps), "digest of a dependency")

    def data_key(epoch):
        require(epoch in roots, "epoch")
        return derive(roots[epoch], "data", identifier)

    commits = operations = 0
    rows = database.execute(
        "SELECT device, sequence, hash, bytes FROM commits WHERE account = ? ORDER BY id",
        [identifier],
    )
    for device, sequence, digest, data in rows:
        header, plaintext, _ = open_envelope(data, chain, data_key, {1, 3})
        require(digest == sha256(data), "digest")
        require((header["device"], header["sequence"]) == (device, sequence), "place")
        require(sequence == heads[device] + 1, "a gap in a chain")
        before = known[device].get(sequence - 1)
        require(
            before == header["previous"] or (before is None and device in jumps), "predecessor"
        )
        check_seen(header["seen"], device)
        listed = json.loads(plaintext)
        require(isinstance(listed, list), "operations")
        for operation in listed:
            require({"ctx", "kind", "version", "hlc"} <= operation.keys(), "operation")
        commits, operations = commits + 1, operations + len(listed)
        known[device][sequence], heads[device] = digest, sequence
    for device, sequence, digest in database.execute(
        "SELECT id, headSequence, headHash FROM device WHERE account = ?", [identifier]
    ):
        require(heads[device] == sequence, "head of a chain")
        require(sequence == 0 or known[device][sequence] == digest, "digest of a head")
    print(f"commits: {commits} verify and open, with {operations} operations; no chain has a gap")

    snapshots = pieces = 0
    rows = database.execute(
        "SELECT id, manifest FROM snapshot WHERE account = ? AND place IS NOT NULL", [identifier]
    )
    for number, manifest in rows.fetchall():
        require(number == sha256(manifest), "id of a snapshot")
        chunks = database.execute(
            "SELECT bytes FROM snapshotChunk WHERE snapshot = ? ORDER BY number", [number]
        )
        frontier, opened, _ = open_snapshot(manifest, [row[0] for row in chunks], chain, roots)
        check_seen(frontier, None)
        snapshots, pieces = snapshots + 1, pieces + len(opened)
    print(f"snapshots: {snapshots} verify and open, with {pieces} pieces")


if __name__ == "__main__":
    commands = {"golden": (golden, 1), "cases": (cases, 2), "account": (account, 3)}
    body, count = commands.get(" ".join(sys.argv[1:2]), (None, 0))
    counts = (count, count + 1) if body is account else (count,)
    if body is None or len(sys.argv) - 2 not in counts:
        sys.exit(__doc__)
    try:
        body(*map(pathlib.Path, sys.argv[2:]))
    except Refused as reason:
        sys.exit(f"refused: {reason}")
