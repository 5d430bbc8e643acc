"""Measures whether reflection helps: arms, question sets, grading, the ledger of corrections, statistics, reports."""
