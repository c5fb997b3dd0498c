"""A self-hosted error monitor that speaks what SDKs already speak, and explains every refusal.

    bytes ─ receive/ ─► Event ─ scrub ─► grouping ─► filters ─► writer ─► answer
                                                                   │
                                            live pages, diagnosis, alerts

An event is answered only after the transaction that holds it is on disk. Nothing before `scrub` is ever written; the
raw event lives on in memory alone, for the diagnosis of its group.
"""
