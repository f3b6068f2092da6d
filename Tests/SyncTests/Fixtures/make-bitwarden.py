#!/usr/bin/env python3
"""Writes bitwarden-300.json: a vault of 300 made-up items in Bitwarden's unencrypted JSON export.

The same text comes out every time, so that the tests can count on it:

    python3 make-bitwarden.py > bitwarden-300.json

Names and secrets are made of word lists and a seeded generator; every domain ends in .example.
"""

import base64
import json
import random
import sys

SEED = 7480
chance = random.Random(SEED)

FOLDERS = ["Arbeit", "Home", "Ämter & Behörden", "旅行", "Покупки", "Empty drawer"]
WORDS = """amber birch cedar delta ember fjord grove harbor island juniper kelp lagoon meadow
nectar orchid pepper quartz river saffron thistle umber violet willow yarrow zephyr""".split()
SHOPS = """bank books bread cinema cloud coffee courier energy forum games garden git hotel
insurance library mail maps market museum music news notes pharmacy photo post radio school
shoes station tax telecom theatre tickets tools train travel video water weather wiki""".split()
NAMES = ["ann", "Änne Größe", "田中 花子", "Ирина Ёлкина", "O'Hara-Núñez", "👩🏽‍🌾 farm"]
COUNTRIES = ["DE", "JP", "FR", "NO", "CL"]
BRANDS = ["Visa", "Mastercard", "Amex", "JCB"]


def identifier():
    digits = "%032x" % chance.getrandbits(128)
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])


def password():
    kind = chance.randrange(4)
    if kind == 0:
        return "-".join(chance.choice(WORDS) for _ in range(5))
    if kind == 1:
        return "pässwörd " + str(chance.randrange(10**6)) + " 鍵"
    signs = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#$%&*+-./:;<=>?@[]^_{|}~\\\"'"
    return "".join(chance.choice(signs) for _ in range(chance.randrange(12, 40)))


def date(year=None):
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (
        year or chance.randrange(2016, 2026),
        chance.randrange(1, 13),
        chance.randrange(1, 29),
        chance.randrange(24),
        chance.randrange(60),
        chance.randrange(60),
        chance.randrange(1000),
    )


def totp(shop):
    secret = base64.b32encode(bytes(chance.randrange(256) for _ in range(20))).decode()
    return chance.choice(
        [
            secret,
            " ".join(secret[at : at + 4].lower() for at in range(0, 32, 4)),
            f"otpauth://totp/{shop}.example:ann?secret={secret}&issuer={shop}.example"
            "&algorithm=SHA256&digits=8&period=60",
        ]
    )


def history():
    entries = [
        {"lastUsedDate": date(2025 - number), "password": password()}
        for number in range(chance.randrange(1, 5))
    ]
    return entries


def fields(links):
    made = [
        {"name": "customer number", "value": str(chance.randrange(10**9)), "type": 0},
        {"name": "PIN ゼロ", "value": "%04d" % chance.randrange(10**4), "type": 1},
        {"name": "newsletter", "value": chance.choice(["true", "false"]), "type": 2},
        {"name": "customer number", "value": "second of its name", "type": 0},
        {"name": "empty", "value": None, "type": 0},
    ]
    if links:
        made.append(
            {"name": "sign in as", "value": None, "type": 3, "linkedId": chance.choice(links)}
        )
    chance.shuffle(made)
    for field in made:
        field.setdefault("linkedId", None)
    return made[: chance.randrange(1, len(made) + 1)]


def item(kind, name, folders):
    made = date()
    return {
        "passwordHistory": None,
        "revisionDate": made,
        "creationDate": made,
        "deletedDate": None,
        "id": identifier(),
        "organizationId": None,
        "folderId": chance.choice(folders + [None, None]),
        "type": kind,
        "reprompt": 1 if chance.random() < 0.02 else 0,
        "name": name,
        "notes": chance.choice([None, None, "asked at the desk\n\tsecond line", "メモ：鍵は机の中"]),
        "favorite": chance.random() < 0.1,
        "collectionIds": None,
    }


def login(number, folders):
    shop = SHOPS[number % len(SHOPS)]
    host = f"{shop}{number // len(SHOPS) or ''}.example"
    made = item(1, chance.choice([host, shop.capitalize(), f"{shop} ({WORDS[number % 25]})"]), folders)
    uris = [{"match": None, "uri": f"https://{host}/login"}]
    if number % 4 == 0:
        uris.append({"match": chance.choice([0, 1, 2, 3, 5]), "uri": f"https://id.{host}"})
    if number % 9 == 0:
        uris.append({"match": 4, "uri": rf"^https://[a-z]+\.{shop}\.example/.*$"})
    if number % 11 == 0:
        uris.append({"match": None, "uri": f"androidapp://example.{shop}"})
    made["login"] = {
        "fido2Credentials": [],
        "uris": uris,
        "username": chance.choice(["ann", "ann@mail.example", f"ann+{shop}@mail.example", None]),
        "password": password(),
        "totp": totp(shop) if number % 5 == 0 else None,
    }
    if number % 50 == 3:
        made["login"]["fido2Credentials"] = [
            {
                "credentialId": identifier(),
                "keyType": "public-key",
                "keyAlgorithm": "ECDSA",
                "keyCurve": "P-256",
                "keyValue": base64.urlsafe_b64encode(bytes(range(64))).decode().rstrip("="),
                "rpId": host,
                "userHandle": None,
                "userName": "ann",
                "counter": "0",
                "rpName": shop,
                "userDisplayName": "Ann",
                "discoverable": "true",
                "creationDate": date(2024),
            }
        ]
    if number % 3 == 0:
        made["passwordHistory"] = history()
    if number % 6 == 0:
        made["fields"] = fields([100, 101])
    return made


def card(number, folders):
    made = item(3, f"card {number} · {chance.choice(BRANDS)}", folders)
    made["card"] = {
        "cardholderName": chance.choice(NAMES),
        "brand": chance.choice(BRANDS),
        "number": "4000" + "%012d" % chance.randrange(10**12),
        "expMonth": str(chance.randrange(1, 13)),
        "expYear": str(chance.randrange(2026, 2034)),
        "code": "%03d" % chance.randrange(1000),
    }
    if number % 5 == 0:
        made["fields"] = fields([300, 303])
    return made


def identity(number, folders):
    name = NAMES[number % len(NAMES)]
    made = item(4, f"{name} {number}", folders)
    made["identity"] = {
        "title": chance.choice(["Ms", "Mr", "Dr", None]),
        "firstName": name.split()[0],
        "middleName": chance.choice([None, "Q."]),
        "lastName": name.split()[-1],
        "address1": f"{number + 1} Beech Lane",
        "address2": chance.choice([None, "3rd floor"]),
        "address3": None,
        "city": chance.choice(["Bergen", "大阪市", "Köln"]),
        "state": chance.choice([None, "NRW"]),
        "postalCode": "%05d" % chance.randrange(10**5),
        "country": chance.choice(COUNTRIES),
        "company": chance.choice([None, "Acorn & Söhne"]),
        "email": f"person{number}@mail.example",
        "phone": "+49 555 %07d" % chance.randrange(10**7),
        "ssn": "%09d" % chance.randrange(10**9),
        "username": "ann",
        "passportNumber": "X%08d" % chance.randrange(10**8),
        "licenseNumber": chance.choice([None, "L-4711"]),
    }
    if number % 4 == 0:
        made["fields"] = fields([416, 410, 999])
    return made


def note(number, folders):
    made = item(2, f"note {number}: {chance.choice(WORDS)}", folders)
    made["secureNote"] = {"type": 0}
    made["notes"] = "\n".join(
        " ".join(chance.choice(WORDS + ["größe", "東京", "ключ", "🗝️"]) for _ in range(12))
        for _ in range(chance.choice([1, 3, 8, 200 if number % 10 == 0 else 5]))
    )
    if number % 7 == 0:
        made["fields"] = fields([])
    return made


def key(number, folders):
    made = item(5, f"host{number}.example", folders)
    body = base64.b64encode(bytes(chance.randrange(256) for _ in range(270))).decode()
    lines = [body[at : at + 70] for at in range(0, len(body), 70)]
    made["sshKey"] = {
        "privateKey": "\n".join(["-----MADE UP KEY-----", *lines, "-----END MADE UP KEY-----", ""]),
        "publicKey": "ssh-ed25519 " + body[:68] + " ann@home",
        "keyFingerprint": "SHA256:" + body[68:111],
    }
    return made


def oddities(folders):
    """Items that a reader trips over if it is careless."""
    twins = [item(1, "twin.example", folders) for _ in range(2)]
    for number, twin in enumerate(twins):
        twin["login"] = {"uris": None, "username": f"twin{number}", "password": "same", "totp": None}
    unnamed = item(1, "  ", folders)
    unnamed["login"] = {"username": "nobody", "password": None}
    unnamed["passwordHistory"] = [{"lastUsedDate": date(2020), "password": password()}]
    bare = item(1, "bare", [None])
    bare["login"] = {}
    future = item(9, "account of a later type", folders)
    future["bankAccount"] = {"iban": "XX00 0000", "limits": [1, 2.5, True, None], "pin": "0000"}
    future["fields"] = [{"name": "branch", "value": "north", "type": 0, "linkedId": None}]
    noted = note(999, folders)
    noted["passwordHistory"] = [
        {"lastUsedDate": "2021-05-06T07:08:09.1234567Z", "password": "PIN: 1234"},
        {"lastUsedDate": "2020-05-06T07:08:09Z", "password": "PIN: 0000"},
    ]
    numeric = card(998, folders)
    numeric["card"]["expMonth"] = 4
    numeric["card"]["expYear"] = 2031
    return [*twins, unnamed, bare, future, noted, numeric]


def main():
    folders = [{"id": identifier(), "name": name} for name in FOLDERS]
    used = [folder["id"] for folder in folders[:-1]]
    items = (
        [login(number, used) for number in range(203)]
        + [card(number, used) for number in range(24)]
        + [identity(number, used) for number in range(20)]
        + [note(number, used) for number in range(36)]
        + [key(number, used) for number in range(10)]
        + oddities(used)
    )
    chance.shuffle(items)
    file = {"encrypted": False, "folders": folders, "items": items}
    json.dump(file, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
