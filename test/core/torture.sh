#!/bin/sh
# SPDX-License-Identifier: 0BSD
# torture.sh FOLDER PROCESSES OPERATIONS SEED [spoil]: torture, then check its
# log, and with spoil, whether falsified entries are noticed.
log=${LOCK_TEST_DIR:-/tmp}/lktorture-$$.log
trap 'rm -f "$log"' EXIT
timeout ${LOCK_TEST_SECONDS:-600} "$1/lktorture" "$2" "$3" "$4" "$log" \
  && "$1/lkcheck" "$log" $5
