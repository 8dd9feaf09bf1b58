"""Writes the rules as PrometheusRule objects for kustomize: `python -m deploy.prometheus FOLDER`.

Each object is a file of rules word for word, comments too, below `spec`.
"""

import sys
import textwrap
from pathlib import Path

RULES = Path(__file__).parent / "rules"
_MADE = "# Made by `make rules` of deploy/prometheus/rules/{name}.\n"
_OBJECT = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: sluice-{stem}
  labels:
    app.kubernetes.io/name: sluice
spec:
"""
_KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
"""


def objects() -> dict[str, str]:
    """The text of each file, by its name."""
    files = {path.name: _object(path) for path in sorted(RULES.glob("*.yaml"))}
    listed = "".join(f"  - {name}\n" for name in files)
    return {**files, "kustomization.yaml": _MADE.format(name="*.yaml") + _KUSTOMIZATION + listed}


def _object(path: Path) -> str:
    rules = textwrap.indent(path.read_text(encoding="utf-8"), "  ")
    return _MADE.format(name=path.name) + _OBJECT.format(stem=path.stem) + rules


def main(folder: Path) -> None:
    """Writes them."""
    folder.mkdir(exist_ok=True)
    for name, text in objects().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
