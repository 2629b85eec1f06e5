# SPDX-License-Identifier: 0BSD
"""Django: "ENGINE": "interlock.django"."""
