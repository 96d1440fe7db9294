"""Formulas that several operations share: pure functions of a namespace `xp` and arrays.

Classes lie along the last axis.
"""
