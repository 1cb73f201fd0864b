#!/usr/bin/env bash
# The ring readers on bytes that nobody wrote, as a ring and as its spill: FUZZ_SECONDS (60) of libFuzzer each.
. tests/tap.sh
. tests/fuzz/lib.sh

seconds=${FUZZ_SECONDS:-60}
corpus "$TMP/corpus" tests/fuzz/corpus/*.ring.gz
ok "a corpus to start from" test -s "$TMP/corpus/one.ring"
ok "every ring of the corpus passes" "$BUILD/fuzz/fuzz_ring" -runs=0 "$TMP"/corpus/*.ring
mutations "$BUILD/fuzz/fuzz_ring" "$seconds" 98304 2048 "$TMP/corpus"
corpus "$TMP/spills" tests/fuzz/corpus/*.spill.gz
ok "every spill of the corpus passes" "$BUILD/fuzz/fuzz_spill" -runs=0 "$TMP"/spills/*.spill
mutations "$BUILD/fuzz/fuzz_spill" "$seconds" 98304 2048 "$TMP/spills"
found_keep
done_testing
