"""Opens a Web Push message as its receiver would, sharing no code with the sender.

receive.py PRIVATE-KEY AUTH BODY, all base64url: prints the text without its padding. With PyPI's
http-ece that opens it; otherwise RFC 8291 is followed here with python3-cryptography's primitives.
"""

import base64
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def derive(secret, salt, info, length):
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def by_hand(key, auth, body):
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    sender, record = body[21 : 21 + length], body[21 + length :]
    assert 18 <= size and len(record) <= size, "more than one record"
    point = serialization.PublicFormat.UncompressedPoint
    own = key.public_key().public_bytes(serialization.Encoding.X962, point)
    other = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    shared = key.exchange(ec.ECDH(), other)
    secret = derive(shared, auth, b"WebPush: info\0" + own + sender, 32)
    content = derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    text = AESGCM(content).decrypt(nonce, record, None).rstrip(b"\0")
    assert text[-1:] == b"\2", "not the last record"
    return text[:-1]


key = ec.derive_private_key(int.from_bytes(decode(sys.argv[1]), "big"), ec.SECP256R1())
auth, body = decode(sys.argv[2]), decode(sys.argv[3])
try:
    import http_ece
except ImportError:
    print("by hand")
    text = by_hand(key, auth, body)
else:
    print("http-ece")
    text = http_ece.decrypt(body, private_key=key, auth_secret=auth, version="aes128gcm")
print(text.decode())
