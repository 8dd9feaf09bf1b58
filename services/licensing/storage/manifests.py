"""The manifests of decisions in SQL, as they were recorded with them."""

import numpy as np
from sqlalchemy import select

from services.chassis.database import Database
from services.licensing.domain.manifests import Manifest
from services.licensing.manifest_proofs import Released
from services.licensing.storage.ledger_tables import DecisionRow, ManifestRow

_TABLES = DecisionRow.metadata.tables
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_MANIFESTS = _TABLES[ManifestRow.__tablename__]

_RELEASED = select(
    _DECISIONS.c.principal_kind,
    _DECISIONS.c.principal,
    _DECISIONS.c.receipt,
    _DECISIONS.c.salt,
    _MANIFESTS.c.contributors,
    _MANIFESTS.c.post_offsets,
    _MANIFESTS.c.post_ids,
    _MANIFESTS.c.root,
).join(_MANIFESTS, _MANIFESTS.c.decision_id == _DECISIONS.c.decision_id)


class ManifestStore:
    """Satisfies `manifest_proofs.Store`, in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def released(self, decision_id: str) -> Released | None:
        """A decision with its manifest, which is empty where nothing was released; what `read` raises."""
        query = _RELEASED.where(_DECISIONS.c.decision_id == decision_id)
        row = await self._database.read(
            lambda connection: connection.execute(query).one_or_none(), confirmed=True
        )
        if row is None:
            return None
        manifest = Manifest(
            salt=bytes(row.salt),
            contributors=np.frombuffer(row.contributors, np.uint64),
            post_offsets=np.frombuffer(row.post_offsets, np.uint32),
            post_ids=np.frombuffer(row.post_ids, np.uint64),
            root=bytes(row.root),
        )
        return Released(row.principal_kind, row.principal, row.receipt, manifest)
