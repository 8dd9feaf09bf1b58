"""What no computing over a bundle can show: told wherever it is said what was shown."""

NOT_SHOWN = (
    "that nothing is missing: rows show what was counted, not that nothing was left out",
    "that each row happened: that is for the records of metering and of the sources it names",
    "who is a member, who is exempt as a vetted researcher, and who assisted: metering's word",
    "which imports were still running, and so how much may follow: metering's word",
    "that the policy is what the parties agreed on: compare its terms_digest with the terms",
    "that the picture (window.svg) is true: it is compared with SHA256SUMS only, not with the rows",
)
