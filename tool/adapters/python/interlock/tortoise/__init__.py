# SPDX-License-Identifier: 0BSD
"""Tortoise ORM: "engine": "interlock.tortoise.sqlite"."""
