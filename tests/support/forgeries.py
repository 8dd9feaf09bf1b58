"""The forgeries by name: each is wrong in one way that somebody, somewhere, has let pass."""

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

from tests.support.forging import (
    ALGORITHMS,
    ED25519_ORDER,
    NOON,
    P256_ORDER,
    Workshop,
    base64url,
    number_bytes,
    raw_signature,
    segment,
)

Named = Iterator[tuple[str, str]]


def forgeries(shop: Workshop) -> dict[str, str]:
    """Every forgery, by what is wrong with it."""
    makers = (
        unsigned, public_key_as_secret, other_algorithms, other_curves, zero_signatures, damaged_signatures,
        wrong_claims, extensions, wrong_key_ids, brought_keys, said_twice, other_shapes, other_encodings,
    )  # fmt: skip
    found: dict[str, str] = {}
    for maker in makers:
        for name, token in maker(shop):
            label = f"{maker.__name__}: {name}"
            assert label not in found, label
            found[label] = token
    return found


def unsigned(shop: Workshop) -> Named:
    spellings: list[Any] = [
        "none", "None", "NONE", "nOnE", "noNe", "none ", " none", "none\0", "", None, ..., 0, True, ["none"],
        ["EdDSA"], {"alg": "none"},
    ]  # fmt: skip
    genuine = shop.token().rpartition(".")[2]
    for spelling in spellings:
        header = shop.header(alg=spelling)
        said = f"{segment(header)}.{segment(shop.claims())}"
        yield f"alg {spelling!r} with nothing", f"{said}."
        yield f"alg {spelling!r} with another's signature", f"{said}.{genuine}"
        yield f"alg {spelling!r} with its own signature", shop.token(header)
    for kid in (..., "none", ""):
        yield (
            f"alg none of key {kid!r}",
            f"{segment(shop.header(alg='none', kid=kid))}.{segment(shop.claims())}.",
        )


def public_key_as_secret(shop: Workshop) -> Named:
    """CVE-2016-5431 and its kin: a key that everyone knows, taken for a shared secret."""
    for kid in ALGORITHMS:
        for form, secret in shop.public_forms(kid).items():
            for bits in (256, 384, 512):
                header = shop.header(kid, alg=f"HS{bits}")
                yield f"HS{bits} over the {form} of {kid}", shop.hashed(header, secret, bits)
        secret = shop.public_forms(kid)["pem"]
        yield (
            f"a hash of {kid} that calls itself {ALGORITHMS[kid]}",
            shop.hashed(shop.header(kid), secret, 256),
        )
    yield "a hash with an empty secret", shop.hashed(shop.header(alg="HS256"), b"", 256)


def other_algorithms(shop: Workshop) -> Named:
    names = (
        "EdDSA", "ES256", "RS256", "PS256", "ES384", "ES512", "RS384", "RS512", "PS384", "PS512", "ES256K",
        "Ed25519", "Ed448", "eddsa", "EDDSA", "es256", "rs256", "dir", "RSA-OAEP",
    )  # fmt: skip
    for kid, own in ALGORITHMS.items():
        for name in names:
            if name != own:
                yield f"{kid} as {name}", shop.token(shop.header(kid, alg=name), kid=kid)
    for kid in ALGORITHMS:
        for signer in ALGORITHMS:
            if signer != kid:
                yield f"signed by {signer}, named {kid}", shop.token(shop.header(kid), kid=signer)
    said = f"{segment(shop.header('rsa'))}.{segment(shop.claims())}"
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    for name, scheme, digest in (
        ("PSS", pss, hashes.SHA256()),
        ("SHA-1", padding.PKCS1v15(), hashes.SHA1()),
        ("SHA-512", padding.PKCS1v15(), hashes.SHA512()),
    ):
        yield f"rsa by {name}", f"{said}.{base64url(shop.rsa_key.sign(said.encode(), scheme, digest))}"


def other_curves(shop: Workshop) -> Named:
    keys: dict[str, Any] = {
        "P-384": ec.generate_private_key(ec.SECP384R1()),
        "P-521": ec.generate_private_key(ec.SECP521R1()),
        "secp256k1": ec.generate_private_key(ec.SECP256K1()),
        "another P-256": ec.generate_private_key(ec.SECP256R1()),
        "Ed448": Ed448PrivateKey.generate(),
        "another Ed25519": shop.own,
    }
    for name, key in keys.items():
        for kid in ("ec", "ed"):
            yield f"{name} named {kid}", shop.token(shop.header(kid), kid=kid, key=key)
    said = f"{segment(shop.header('ec'))}.{segment(shop.claims())}"
    der = shop.ec_key.sign(said.encode(), ec.ECDSA(hashes.SHA256()))
    yield "ES256 in the form of DER", f"{said}.{base64url(der)}"


def zero_signatures(shop: Workshop) -> Named:
    """CVE-2022-21449 and its kin: numbers with which a careless verifier's sums come out right."""
    numbers = {"0": 0, "1": 1, "n": P256_ORDER, "n-1": P256_ORDER - 1, "2^256-1": 2**256 - 1}
    for r_name, r in numbers.items():
        for s_name, s in numbers.items():
            signature = number_bytes(r) + number_bytes(s)
            yield f"ES256 r={r_name} s={s_name}", shop.with_signature(shop.header("ec"), signature)
    identity = number_bytes(1)[::-1]
    for name, signature in (
        ("all zero", bytes(64)),
        ("the identity and zero", identity + bytes(32)),
        ("the identity and the order", identity + ED25519_ORDER.to_bytes(32, "little")),
        ("all ones", b"\xff" * 64),
    ):
        yield f"EdDSA {name}", shop.with_signature(shop.header(), signature)
    for name, number in (("0", 0), ("1", 1), ("n", shop.rsa_key.public_key().public_numbers().n)):
        signature = number_bytes(number, 256)
        yield f"RS256 {name}", shop.with_signature(shop.header("rsa"), signature)
    # s and s + L are the same to a verifier that does not look (RFC 8032, 5.1.7).
    said = f"{segment(shop.header())}.{segment(shop.claims())}"
    genuine = shop.ed_key.sign(said.encode())
    larger = int.from_bytes(genuine[32:], "little") + ED25519_ORDER
    yield "EdDSA with s + L", f"{said}.{base64url(genuine[:32] + larger.to_bytes(32, 'little'))}"


def damaged_signatures(shop: Workshop) -> Named:
    for kid in ALGORITHMS:
        said = f"{segment(shop.header(kid))}.{segment(shop.claims())}"
        genuine = raw_signature(shop.key(kid), said.encode())
        for name, signature in (
            ("nothing", b""),
            ("all but the last byte", genuine[:-1]),
            ("all but the first byte", genuine[1:]),
            ("its first half", genuine[: len(genuine) // 2]),
            ("one byte more", genuine + b"\0"),
            ("one byte before", b"\0" + genuine),
            ("twice", genuine * 2),
            ("backwards", genuine[::-1]),
            ("its halves exchanged", genuine[len(genuine) // 2 :] + genuine[: len(genuine) // 2]),
        ):
            yield f"{kid}, {name}", f"{said}.{base64url(signature)}"
        other = segment(shop.claims(sub="somebody-else"))
        yield f"{kid}, of other claims", f"{segment(shop.header(kid))}.{other}.{base64url(genuine)}"


def wrong_claims(shop: Workshop) -> Named:
    nan, infinite = float("nan"), float("inf")
    wrong: dict[str, list[Any]] = {
        "aud": [..., "another", "Sluice", "sluice ", "sluice/", "", None, 7, True, {}, [], ["sluice"],
                ["sluice", "another"], ["another"], ["sluice", 7]],
        "iss": [..., "another", "SLUICE", "sluice/", "https://sluice", "", None, 7, ["sluice"], {}],
        "exp": [..., NOON, NOON - 1, 0, -1, -(2**63), "soon", str(NOON + 60), NOON + 60.0, NOON + 60.5, True,
                False, None, [NOON + 60], {}, nan, infinite, -infinite, 2**53 + 2, 2**64, 10**30, 10**400],
        "nbf": [NOON + 1, NOON + 60, 2**40, 2**64, "now", str(NOON), float(NOON), True, None, [], nan,
                infinite],
        "sub": [..., "", None, 7, True, {}, ["export-1"], {"sub": "export-1"}, "a" * 129, "a\nb", "a\0",
                "a\x7f", "a\x1bb", "a\u200bb", "a\u202eb", "a\u2028b", "\ufeff", "\ud800"],
        "kind": [..., "emperor", "Pipeline", "PIPELINE", " pipeline", "pipeline ", "pipeline\0", "", None, 7,
                 True, ["pipeline"], {"kind": "pipeline"}, "PrincipalKind.PIPELINE", "p\u0456peline"],
        "roles": ["admin", "", None, 7, True, {}, {"admin": True}, [1], [None], ["admin", 7], [["admin"]]],
        "sandbox": ["true", "false", "", 0, 1, None, [], {}, 0.0],
    }  # fmt: skip
    for claim, values in wrong.items():
        for value in values:
            shown = repr(value) if len(repr(value)) < 60 else f"{repr(value)[:20]}... of {len(repr(value))}"
            yield f"{claim} {shown}", shop.token(claims=shop.claims(**{claim: value}))


def extensions(shop: Workshop) -> Named:
    critical: list[Any] = [["exp"], ["b64"], [], ["unknown"], ["alg"], ["kid"], [1], "exp", None, {}, True]
    for value in critical:
        yield f"crit {value!r}", shop.token(shop.header(crit=value, exp=NOON + 60))
    for value in (False, True, None, "false"):
        yield f"b64 {value!r}", shop.token(shop.header(b64=value))
        yield f"b64 {value!r}, critical", shop.token(shop.header(b64=value, crit=["b64"]))
    said = json.dumps(shop.claims())
    header = segment(shop.header(b64=False, crit=["b64"]))
    signature = base64url(shop.ed_key.sign(f"{header}.{said}".encode()))
    yield "unencoded claims", f"{header}.{said}.{signature}"
    yield "detached claims", f"{header}..{signature}"
    others: dict[str, dict[str, Any]] = {
        "compressed": {"zip": "DEF"},
        "encrypted": {"enc": "A128GCM"},
        "nested": {"cty": "JWT"},
        "a receipt": {"typ": "sluice-receipt+json"},
        "a receipt of the sandbox": {"typ": "sluice-sandbox-receipt+json"},
        "an encrypted thing": {"typ": "JWE"},
        "no text for a type": {"typ": 7},
        "null for a type": {"typ": None},
    }
    for name, changes in others.items():
        yield name, shop.token(shop.header(**changes))


def wrong_key_ids(shop: Workshop) -> Named:
    ids: list[Any] = [
        ..., "", "unknown", "ED", "ed ", " ed", "ed\0", "ed\n", "../ed", "./ed", "/dev/null",
        "../../../../dev/null", "file:///dev/null", "http://127.0.0.1/keys", "' OR '1'='1", "ed' --",
        "' UNION SELECT 'secret", "ed;ls", "$(id)", "ed*", "%65d",
        "\u0435d", "e\u200bd", None, 0, 7, True, ["ed"], {"kid": "ed"}, "k" * 3_000,
    ]  # fmt: skip
    for kid in ids:
        yield f"kid {repr(kid)[:40]}", shop.token(shop.header(kid=kid))
    for kid in ("ec", "rsa"):
        yield f"kid of {kid}", shop.token(shop.header(kid=kid))
        yield f"kid and alg of {kid}", shop.token(shop.header(kid=kid, alg=ALGORITHMS[kid]))


def brought_keys(shop: Workshop) -> Named:
    """A key that came with the token, or an address of one, is the attacker's own."""
    own = shop.jwk("ed") | {"x": base64url(shop.own.public_key().public_bytes_raw())}
    brought: dict[str, Any] = {
        "jwk": own,
        "jku": "https://attacker.example/jwks.json",
        "x5u": "https://attacker.example/chain.pem",
        "x5c": [shop.certificate()],
        "x5t": shop.thumbprint(),
        "x5t#S256": shop.thumbprint(),
        "keys": [own],
    }
    for name, value in brought.items():
        for kid in ("ed", "attacker", ...):
            header = shop.header(kid=kid, **{name: value})
            yield f"{name} under kid {kid!r}", shop.token(header, key=shop.own)


def said_twice(shop: Workshop) -> Named:
    """Two readers of JSON take different ones of two members of a name; nobody can say who is right."""
    claims = json.dumps(shop.claims())[1:-1]
    for name, text in {
        "sub, the other first": f'{{"sub":"other",{claims}}}',
        "sub, the other last": f'{{{claims},"sub":"other"}}',
        "sub, the same": f'{{{claims},"sub":"export-1"}}',
        "sub, once escaped": f'{{{claims},"\\u0073ub":"other"}}',
        "kind": f'{{{claims},"kind":"operator"}}',
        "roles": f'{{{claims},"roles":["admin"]}}',
        "exp": f'{{"exp":{NOON - 1},{claims}}}',
        "aud": f'{{"aud":"another",{claims}}}',
        "iss": f'{{"iss":"another",{claims}}}',
        "sandbox": f'{{"sandbox":true,{claims},"sandbox":false}}',
        "in what nobody reads": f'{{{claims},"more":{{"a":1,"a":2}}}}',
    }.items():
        yield name, shop.token(claims=text)
    for name, text in {
        "alg, none first": '{"alg":"none","alg":"EdDSA","kid":"ed"}',
        "alg, none last": '{"alg":"EdDSA","alg":"none","kid":"ed"}',
        "alg, once escaped": '{"\\u0061lg":"none","alg":"EdDSA","kid":"ed"}',
        "kid, unknown first": '{"alg":"EdDSA","kid":"unknown","kid":"ed"}',
        "kid, unknown last": '{"alg":"EdDSA","kid":"ed","kid":"unknown"}',
        "typ": '{"alg":"EdDSA","kid":"ed","typ":"JWE","typ":"JWT"}',
    }.items():
        yield name, shop.token(text)


def other_shapes(shop: Workshop) -> Named:
    genuine = shop.token()
    header, claims, signature = genuine.split(".")
    encrypted = {"alg": "dir", "enc": "A128GCM", "kid": "ed"}
    yield from {
        "one part": header,
        "two parts": f"{header}.{claims}",
        "four parts": f"{genuine}.{signature}",
        "five parts": f"{header}.{claims}.{signature}.{claims}.{signature}",
        "five empty parts": "....",
        "an encrypted token": f"{segment(encrypted)}..{signature}.{claims}.{signature}",
        "a point at the end": f"{genuine}.",
        "a point before": f".{genuine}",
        "two points": genuine.replace(".", "..", 1),
        "no points": genuine.replace(".", ""),
        "only points": "..",
        "no header": f".{claims}.{signature}",
        "no claims": f"{header}..{signature}",
        "no signature": f"{header}.{claims}.",
        "a space before": f" {genuine}",
        "a space after": f"{genuine} ",
        "a space within": genuine.replace(".", ". ", 1),
        "a line feed after": f"{genuine}\n",
        "a line feed within": genuine[:20] + "\n" + genuine[20:],
        "a tab within": genuine[:20] + "\t" + genuine[20:],
        "a NUL after": f"{genuine}\0",
        "a NUL within": genuine[:20] + "\0" + genuine[20:],
        "its scheme": f"Bearer {genuine}",
        "quotes": f'"{genuine}"',
        "points percent-encoded": genuine.replace(".", "%2E"),
        "full-width points": genuine.replace(".", "\uff0e"),
        "two tokens": f"{genuine},{genuine}",
        "another alphabet": genuine.replace("e", "\u0435"),
        "other case": genuine.swapcase(),
        "as JSON": json.dumps({"protected": header, "payload": claims, "signature": signature}),
        "a token in a token": shop.token(claims=genuine),
        "longer than any": f"{segment(shop.header())}.{'A' * 9_300}.{signature}",
        "longer than any, and signed": shop.token(claims=shop.claims(more="x" * 9_300)),
    }.items()


def other_encodings(shop: Workshop) -> Named:
    parts = _with_both_signs(shop)
    for place, part in enumerate(("header", "claims", "signature")):
        for name, text in {
            "padded": parts[place] + "=" * (-len(parts[place]) % 4 or 4),
            "one sign of padding": parts[place] + "=",
            "a letter more": parts[place] + "A",
            # Whether a header has the signs in which the two differ depends on a key of chance.
            **({"the other base64": _other_alphabet(parts[place])} if place else {}),
            "a sign that is no letter": parts[place][:4] + "*" + parts[place][4:],
            "hex": parts[place].encode().hex(),
        }.items():
            assert text != parts[place], f"{name} changes nothing"
            yield f"{part}, {name}", ".".join([*parts[:place], text, *parts[place + 1 :]])
    yield from _idle_bits(shop)
    yield from _other_json(shop)


def _with_both_signs(shop: Workshop) -> list[str]:
    """A genuine token whose claims and signature have a sign that only one of the two base64 has."""
    for number in itertools.count():
        parts = shop.token(claims=shop.claims(sub=f"export-{number}?>~")).split(".")
        if all(_other_alphabet(part) != part for part in parts[1:]):
            return parts
    raise AssertionError("there is always another number")


def _other_json(shop: Workshop) -> Named:
    changes: dict[str, Callable[[str], bytes]] = {
        "UTF-16": lambda text: text.encode("utf-16"),
        "UTF-16, little end first": lambda text: text.encode("utf-16-le"),
        "UTF-16, big end first": lambda text: text.encode("utf-16-be"),
        "UTF-32": lambda text: text.encode("utf-32"),
        "UTF-32, little end first": lambda text: text.encode("utf-32-le"),
        "a byte order mark": lambda text: text.encode("utf-8-sig"),
        "no UTF-8": lambda text: text.encode()[:-1] + b',"more":"\xff"}',
        "an overlong byte": lambda text: text.encode()[:-1] + b',"more":"\xc0\xae"}',
        "a surrogate": lambda text: text.encode()[:-1] + b',"more":"\xed\xa0\x80"}',
        "a NUL after": lambda text: text.encode() + b"\0",
        "something after": lambda text: text.encode() + b"{}",
        "a comma too many": lambda text: text.encode()[:-1] + b",}",
        "a comment": lambda text: text.encode()[:-1] + b"/**/}",
        "NaN in what nobody reads": lambda text: text.encode()[:-1] + b',"more":NaN}',
        "single quotes": lambda text: text.replace('"', "'").encode(),
        "in a list": lambda text: f"[{text}]".encode(),
        "in a string": lambda text: json.dumps(text).encode(),
        "nothing": lambda text: b"",
        "null": lambda text: b"null",
        "a number": lambda text: b"7",
        "an empty list": lambda text: b"[]",
        "an empty object": lambda text: b"{}",
        "nested deeply": lambda text: b"[" * 1_500 + b"]" * 1_500,
        "nested deeply inside": lambda text: text.encode()[:-1] + b',"more":' + b"[" * 1_200 + b"}",
        "no end": lambda text: text.encode()[:-1],
    }
    claims, head = json.dumps(shop.claims()), json.dumps(shop.header())
    for name, change in changes.items():
        yield f"claims, {name}", shop.token(claims=change(claims))
        yield f"header, {name}", shop.token(change(head))


def _idle_bits(shop: Workshop) -> Named:
    """The last letter of a part may carry bits that stand for nothing; many readers pass over them."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    header, claims, signature = shop.token().split(".")
    after = letters[letters.index(signature[-1]) | 1]
    assert after != signature[-1]
    yield "signature, idle bits", f"{header}.{claims}.{signature[:-1]}{after}"
    for length in range(3):
        said = segment(shop.claims(jti="x" * length))
        if len(said) % 4:
            idle = said[:-1] + letters[letters.index(said[-1]) | 1]
            signed = f"{segment(shop.header())}.{idle}"
            yield (
                f"claims of {length} more, idle bits, signed",
                f"{signed}.{base64url(shop.ed_key.sign(signed.encode()))}",
            )
            kept = f"{segment(shop.header())}.{said}"
            old = base64url(shop.ed_key.sign(kept.encode()))
            yield f"claims of {length} more, idle bits, under the old signature", f"{signed}.{old}"


def _other_alphabet(text: str) -> str:
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return base64.b64encode(raw).decode().rstrip("=")
