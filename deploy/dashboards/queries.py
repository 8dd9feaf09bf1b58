"""Queries and thresholds that several panels are made of."""

from deploy.dashboards.panels import Query, Threshold

RELEASES = 'method=~"sluice[.]licensing[.]v1[.]ReleaseService/(Decide|DecideStreamRequest|RequestRelease)"'
GATEWAY = 'envoy_http_conn_manager_prefix="gateway"'
GREEN: Threshold = ("green", None)


def limit(red: float, yellow: float | None = None) -> tuple[Threshold, ...]:
    """Good up to a value, bad from one on."""
    between: tuple[Threshold, ...] = () if yellow is None else (("yellow", yellow),)
    return (GREEN, *between, ("red", red))


def percentiles(series: str, *, by: str = "", where: str = "") -> tuple[Query, ...]:
    """The middle, one in twenty and one in a hundred, of a histogram."""
    groups = f"le, {by}" if by else "le"
    selector = f"{{{where}}}" if where else ""
    named = f" {{{{{by}}}}}" if by else ""
    return tuple(
        Query(
            f"histogram_quantile({quantile}, sum by ({groups}) (rate({series}_bucket{selector}[5m])))",
            f"p{round(quantile * 100)}{named}",
        )
        for quantile in (0.5, 0.95, 0.99)
    )


def burn(kind: str, budget: float) -> tuple[Query, ...]:
    """How many times as fast as it may the budget is used up, over each of four windows."""
    return tuple(
        Query(f"job:sluice_decision_{kind}:ratio_rate{window} / {budget}", window)
        for window in ("5m", "1h", "6h", "3d")
    )
