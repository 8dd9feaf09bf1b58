"""`sluice damages`: liquidated damages, from the clause to the evidence."""

import typer

from services.console import (
    damages_assess,
    damages_disputes,
    damages_export,
    damages_notices,
    damages_policies,
    damages_records,
    damages_verify,
)

app = typer.Typer(help="Liquidated damages, and the evidence for them.", no_args_is_help=True)
app.add_typer(damages_policies.app, name="policy")
app.command("assess")(damages_assess.assess)
app.command("list")(damages_records.list_)
app.command("show")(damages_records.show_one)
app.command("export")(damages_export.export)
app.command("verify")(damages_verify.verify)
app.command("dispute")(damages_disputes.dispute)
app.command("uphold")(damages_disputes.uphold)
app.command("reduce")(damages_disputes.reduce)
app.command("withdraw")(damages_disputes.withdraw)
app.command("steps")(damages_disputes.steps)
app.command("approve")(damages_disputes.approve)
app.command("reject")(damages_disputes.reject)
app.command("notice")(damages_notices.notice)
app.command("notices")(damages_notices.notices)
