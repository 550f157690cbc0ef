"""What fault plans can do, from the table of their kinds."""

from __future__ import annotations

from documentation.markdown import code, table
from mockpush.protocol.fault_kinds import KINDS


def kinds() -> str:
    """Every kind: what it does, what it needs and takes."""
    return table(
        ("kind", "what happens", "needs", "takes"),
        (
            (
                code(kind),
                rule.text,
                " or ".join(map(code, rule.needs)),
                ", ".join(code(each) for each in rule.takes if each not in rule.needs),
            )
            for kind, rule in KINDS.items()
        ),
    )
