"""The base of licensing's tables: a registry of their own, so that two services fit into one process."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class LicensingTable(SQLModel, registry=registry()):
    """Base of all tables of licensing; their schema is `LicensingTable.metadata`."""
