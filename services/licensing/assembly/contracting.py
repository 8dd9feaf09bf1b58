"""The parts that know licenses, who may come in, and what is owed."""

import secrets

from services.chassis.ids import uuid7
from services.chassis.jwks import Jwks
from services.licensing.affiliates import AffiliateDesk
from services.licensing.api_keys import KeyDesk
from services.licensing.assembly.base import Base, Part, Peers
from services.licensing.billing import BillingDesk
from services.licensing.contracts import ContractDesk
from services.licensing.domain.api_keys import KEY_ID_BYTES, SECRET_BYTES, NewKey, new_key
from services.licensing.finisher import Finisher
from services.licensing.outlook import Outlook
from services.licensing.peers import RosterPeer
from services.licensing.rpc import (
    affiliates,
    api_keys,
    billing,
    callers,
    contracts,
    tokens,
)
from services.licensing.storage.affiliates import AffiliateStore
from services.licensing.storage.api_keys import ApiKeyStore
from services.licensing.storage.billing import BillingStore, server_now_us
from services.licensing.tokens import TokenDesk


def contracts_part(base: Base, peers: Peers, licenses: ContractDesk) -> Part:
    """Licenses, and who belongs together."""
    together = AffiliateDesk(AffiliateStore(base.database), RosterPeer(peers.metering), base.clock)
    finisher = Finisher(together, interval_seconds=base.settings.sweep_interval_seconds)
    return Part((contracts.bolt(licenses, base.clock), affiliates.bolt(together)), (finisher,))


def keys_part(base: Base) -> Part:
    """API keys, the tokens that are got with them, and who somebody is by a token."""

    def fresh(sandbox: bool) -> NewKey:
        return new_key(sandbox, secrets.token_bytes(KEY_ID_BYTES), secrets.token_bytes(SECRET_BYTES))

    desk = KeyDesk(ApiKeyStore(base.database), base.clock, fresh)
    minter = base.minter(base.settings.api_token_seconds)
    exchange = TokenDesk(desk, minter, Jwks(base.settings.token_jwks), base.clock)
    return Part((api_keys.bolt(desk), tokens.bolt(exchange), callers.bolt()))


def billing_part(base: Base) -> Part:
    """Invoices."""
    store, clock = BillingStore(base.database, server_now_us), base.clock
    bills = BillingDesk(store, clock, lambda: uuid7(clock.now_us()), base.margin_us)
    return Part((billing.bolt(bills, Outlook(store, clock)),))
