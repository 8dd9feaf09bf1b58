"""Wires the commands of `sluice` together."""

import typer

from services.console import (
    actions,
    affiliates,
    api_keys,
    certificates,
    choice_queries,
    choices,
    damages,
    decision_lists,
    decisions,
    deliveries,
    directory,
    dry_runs,
    gateway_limits,
    halts,
    invoice_outlook,
    invoices,
    license_history,
    license_versions,
    licensees,
    licenses,
    log,
    manifest_proofs,
    migrate,
    parties,
    policies,
    post_requests,
    recall_entries,
    recall_progress,
    recall_watching,
    recalls,
    receipts,
    reconcile,
    releases,
    request_receipts,
    restores,
    revenue,
    secure_channels,
    serve,
    signing_keys,
    states,
    stats,
    subject_records,
    subject_releases,
    subject_standings,
    subjects,
    tokens,
    up,
    usage,
    usage_audits,
    usage_import,
    usage_plots,
    usage_watching,
    walls,
    webhooks,
    withdrawals,
)
from services.console.demo.command import demo
from services.console.gateway import commands as gateway
from services.console.operations import commands as operations
from services.console.settings_page import commands as settings_page

app = typer.Typer(
    name="sluice",
    help="Decide, for every release of user posts to an AI licensee, whether it may happen, and prove it.",
    no_args_is_help=True,
    # Lines of a paragraph are joined; otherwise help breaks where the source does.
    rich_markup_mode="markdown",
    # A refusal is answered in words; anything else is a defect, and its trace is for whoever mends it.
    pretty_exceptions_enable=False,
)
app.callback()(secure_channels.options)
app.command("up")(up.up)
app.command("demo")(demo)
app.command("serve")(serve.serve)
app.command("migrate")(migrate.migrate)
app.command("reconcile")(reconcile.reconcile)
app.add_typer(policies.app, name="policy")
subjects.app.command("export")(subject_records.export)
subjects.app.command("erase")(subject_records.erase)
subjects.app.command("proof")(manifest_proofs.proof)
subjects.app.command("verify-proof")(manifest_proofs.verify_proof)
subjects.app.command("releases")(subject_releases.releases)
subjects.app.command("standing")(subject_standings.standing)
subjects.app.command("reindex")(subject_releases.reindex)
app.add_typer(subjects.app, name="subjects")
choices.app.command("show")(choice_queries.show_one)
choices.app.command("history")(choice_queries.history)
choices.app.command("explain")(choice_queries.explain)
app.add_typer(choices.app, name="choices")
app.add_typer(states.app, name="states")
app.add_typer(halts.app, name="halt")
app.add_typer(withdrawals.app, name="withdrawals")
licensees.app.command("request")(post_requests.request)
licensees.app.add_typer(affiliates.app, name="affiliate")
app.add_typer(licensees.app, name="licensee")
licenses.app.command("dry-run")(dry_runs.dry_run)
licenses.app.command("explain")(dry_runs.explain)
licenses.app.command("template")(license_versions.template)
licenses.app.command("check")(license_versions.check)
licenses.app.command("amend")(license_versions.amend)
licenses.app.command("withdraw")(license_versions.withdraw)
licenses.app.command("versions")(license_versions.versions)
licenses.app.command("diff")(license_versions.diff)
licenses.app.command("history")(license_history.history)
app.add_typer(licenses.app, name="license")
invoices.app.command("due")(invoice_outlook.due)
invoices.app.command("preview")(invoice_outlook.preview)
app.add_typer(invoices.app, name="invoice")
app.command("revenue")(revenue.revenue)
usage.app.command("import")(usage_import.import_)
app.add_typer(parties.app, name="party")
usage.app.command("plot")(usage_plots.plot)
usage.app.command("watch")(usage_watching.watch)
usage.app.command("audit")(usage_audits.audit)
usage.app.command("rebuild")(usage_audits.rebuild)
app.add_typer(usage.app, name="usage")
app.add_typer(damages.app, name="damages")
app.command("release")(releases.release)
receipts.app.command("verify-request")(request_receipts.verify_request)
app.add_typer(receipts.app, name="receipt")
app.add_typer(log.app, name="log")
decisions.app.command("list")(decision_lists.list_)
app.add_typer(decisions.app, name="decision")
app.add_typer(deliveries.app, name="delivery")
app.add_typer(directory.app, name="directory")
recalls.app.command("entries")(recall_entries.entries)
recalls.app.command("watch")(recall_watching.watch)
recalls.app.command("gaps")(recall_progress.gaps)
recalls.app.command("progress")(recall_progress.progress)
app.add_typer(recalls.app, name="recall")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(walls.app, name="wall")
app.command("trace")(decisions.trace)
app.add_typer(api_keys.app, name="key")
app.add_typer(signing_keys.app, name="keys")
app.add_typer(certificates.app, name="certs")
app.add_typer(restores.app, name="restore")
app.add_typer(stats.app, name="stats")
app.add_typer(tokens.app, name="token")
app.add_typer(actions.app, name="actions")
gateway.app.add_typer(gateway_limits.app, name="limits")
app.add_typer(gateway.app, name="gateway")
app.add_typer(settings_page.app, name="settings-page")
app.add_typer(operations.app, name="console")
