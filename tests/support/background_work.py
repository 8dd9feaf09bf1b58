"""What runs by itself in the services, outside of any trace: at the start, sweeps, followers, heads, the log.

The list is closed: a work of a decision that has lost its trace is seen by not being here. Two are here that
decisions have too, consent's `follow` and the ledger's `write`: lost, they are missing from their traces.
"""

BACKGROUND = {
    "read consent": {
        "services.chassis.head_keeping.HeadKeeper._standing",
        "services.chassis.restore_rows.RestoreRows.points",
        "services.chassis.restore_rows.RestoreRows.standing",
        "services.consent.storage.register.SqlRegister.follow",
    },
    "read licensing": {
        "services.chassis.head_keeping.HeadKeeper._standing",
        "services.chassis.restore_rows.RestoreRows.points",
        "services.chassis.restore_rows.RestoreRows.standing",
        "services.licensing.storage.affiliates.AffiliateStore.read",
        "services.licensing.storage.announcements.AnnouncementStore.lease",
        "services.licensing.storage.backlogs.BacklogStore.backlogs",
        "services.licensing.storage.head.shown",
        "services.licensing.storage.head.was_log_shown",
        "services.licensing.storage.log.LogStore.signed_at",
        "services.licensing.storage.log.LogStore.tiles",
        "services.licensing.storage.log.LogStore.waiting",
        "services.licensing.storage.log.newest",
        "services.licensing.storage.outbox.OutboxStore.due",
        "services.licensing.storage.recalls.RecallStore.read",
        "services.licensing.storage.release_index_writer._merging",
        "services.licensing.storage.release_index_writer._next_page",
        "services.licensing.storage.release_index_writer._segments",
        "services.licensing.storage.sandbox.SandboxAnswers.forget",
        "services.licensing.storage.statistics._next_part",
        "services.licensing.storage.walls.WallStore.read",
    },
    "read metering": {
        "services.chassis.head_keeping.HeadKeeper._standing",
        "services.chassis.restore_rows.RestoreRows.points",
        "services.chassis.restore_rows.RestoreRows.standing",
        "services.metering.storage.projecting._is_to_do",
    },
    "write consent": {
        "services.chassis.restore_rows.RestoreRows.note_kept",
        "services.consent.storage.register.SqlRegister.activate_due",
    },
    "write licensing": {
        "services.chassis.restore_rows.RestoreRows.note_kept",
        "services.licensing.storage.ledger.LedgerStore.write",
        "services.licensing.storage.log.LogStore.append",
        "services.licensing.storage.log._note_shown",
        "services.licensing.storage.outbox.OutboxStore.remove",
        "services.licensing.storage.recalls.RecallStore.write",
        "services.licensing.storage.release_index_writer.ReleaseIndexWriter.add_next",
        "services.licensing.storage.statistics.StatisticsStore.advance",
    },
    "write metering": {
        "services.chassis.restore_rows.RestoreRows.note_kept",
        "services.metering.storage.projecting._advance",
        "services.metering.storage.rate_windows.SqlRateWindows.drop_passed",
    },
}
"""Functions, by the name of what they do with which database."""
