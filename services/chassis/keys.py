"""Signing keys of a local installation, made once on first start, and their public halves as JWKS (RFC 7517).

Private files are 0600 from their first byte on, appear whole or not at all, and are replaced by a rotation
alone (`rotation`): when two processes start at once, both end up using the pair of whichever was first.
"""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.chassis.refusals import precondition
from services.chassis.whole_files import sync_folder, write_draft

PRIVATE_MODE = 0o600
PUBLIC_MODE = 0o644


@dataclass(frozen=True)
class KeyPair:
    """A private key, and the JWKS file in which its public half is published."""

    private: Path
    jwks: Path
    is_for_good: bool = False
    """What it signs is verified for ever, so that its public half stays published for ever (R6)."""

    @property
    def next(self) -> Path:
        """Where the next private key lies until it signs."""
        return self.private.with_name(f"{self.private.stem}.next{self.private.suffix}")


@dataclass(frozen=True)
class Keys:
    """Where the keys of an installation lie."""

    token_private: Path
    """Ed25519, PKCS #8 PEM: signs the tokens of the local run."""
    token_jwks: Path
    receipt_private: Path
    """Ed25519, PKCS #8 PEM: signs receipts."""
    receipt_jwks: Path
    checkpoint_private: Path
    """Ed25519, PKCS #8 PEM: signs checkpoints of the log, and nothing else (R6)."""
    checkpoint_jwks: Path

    @classmethod
    def in_folder(cls, folder: Path) -> "Keys":
        """Where they lie in a folder, made or not."""
        return cls(
            token_private=folder / "token-signing.pem",
            token_jwks=folder / "token-jwks.json",
            receipt_private=folder / "receipt-signing.pem",
            receipt_jwks=folder / "receipt-jwks.json",
            checkpoint_private=folder / "checkpoint-signing.pem",
            checkpoint_jwks=folder / "checkpoint-jwks.json",
        )

    @property
    def tokens(self) -> KeyPair:
        """The pair of tokens."""
        return KeyPair(self.token_private, self.token_jwks)

    @property
    def receipts(self) -> KeyPair:
        """The pair of receipts."""
        return KeyPair(self.receipt_private, self.receipt_jwks, is_for_good=True)

    @property
    def checkpoints(self) -> KeyPair:
        """The pair of checkpoints."""
        return KeyPair(self.checkpoint_private, self.checkpoint_jwks, is_for_good=True)


def ensure_keys(folder: Path) -> Keys:
    """The installation's keys; what is missing is made. `folder` is created with mode 0700."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = Keys.in_folder(folder)
    for pair in (keys.tokens, keys.receipts, keys.checkpoints):
        _ensure_pair(pair.private, pair.jwks)
    return keys


def given_keys(folder: Path) -> Keys:
    """The keys in a folder that somebody else fills, and that may be read-only: nothing is made.

    Raises Refusal (precondition, KEYS_MISSING) that names what is not there.
    """
    keys = Keys.in_folder(folder)
    pairs = (keys.tokens, keys.receipts, keys.checkpoints)
    files = [path for pair in pairs for path in (pair.private, pair.jwks)]
    if missing := [path.name for path in files if not path.is_file()]:
        raise precondition("KEYS_MISSING", f"{folder} lacks {', '.join(missing)}")
    return keys


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Reads a PKCS #8 PEM file; raises Refusal (precondition) when it is missing or no Ed25519 key."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise precondition("KEY_UNREADABLE", f"the private key {path.name} cannot be read") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise precondition("KEY_UNREADABLE", f"the private key {path.name} is no Ed25519 key")
    return key


def public_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """The key as a JWK (RFC 8037) whose kid is its RFC 7638 thumbprint."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}
    return {**required, "kid": thumbprint(required), "alg": "EdDSA", "use": "sig"}


def thumbprint(required: Mapping[str, str]) -> str:
    """RFC 7638: SHA-256 over the required members of a JWK, in lexical order without spaces, base64url."""
    canonical = json.dumps(dict(required), sort_keys=True, separators=(",", ":")).encode()
    return _base64url(hashlib.sha256(canonical).digest())


def ensure_private_key(path: Path) -> Ed25519PrivateKey:
    """The key in `path`, made there if there is none. Raises Refusal (precondition, KEY_UNREADABLE)."""
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        create_once(path, pem, PRIVATE_MODE)
    # Read from the file, not from what was just made: another process may have been first.
    return load_private_key(path)


def replace_jwks(path: Path, jwks: Sequence[Mapping[str, object]]) -> None:
    """Writes a JWKS file anew, whole or not at all; whoever reads it meanwhile has the old one or the new."""
    draft = _draft(path, _jwks_document(jwks), PUBLIC_MODE)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    sync_folder(path.parent)


def remove_drafts(path: Path) -> None:
    """Takes away what writers of `path` left behind when they were killed; nobody may be writing it now."""
    for draft in path.parent.glob(f".{path.name}.*"):
        draft.unlink(missing_ok=True)


def _ensure_pair(private: Path, jwks: Path) -> None:
    public = public_jwk(ensure_private_key(private).public_key())
    if not jwks.exists():
        create_once(jwks, _jwks_document([public]), PUBLIC_MODE)


def _jwks_document(jwks: Sequence[Mapping[str, object]]) -> bytes:
    return json.dumps({"keys": [dict(jwk) for jwk in jwks]}, indent=2).encode() + b"\n"


def create_once(path: Path, content: bytes, mode: int) -> None:
    """Writes a file whole or not at all; keeps the present one if another process was faster."""
    draft = _draft(path, content, mode)
    try:
        # A hard link fails where a rename would replace the key that others may already use.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    sync_folder(path.parent)


def _draft(path: Path, content: bytes, mode: int) -> Path:
    """A durable file beside `path` with the content that is to be there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_draft(draft, content, mode, os.O_EXCL)
    return draft


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
