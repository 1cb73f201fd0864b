#!/usr/bin/env bash
# The cubin reader on bytes that nobody wrote: FUZZ_CUBIN_SECONDS (10) of libFuzzer.
. tests/tap.sh
. tests/fuzz/lib.sh

fuzz=$BUILD/fuzz/fuzz_cubin
corpus "$TMP/corpus" tests/cubin/corpus/*.gz
ok "every file of the corpus passes" "$fuzz" -runs=0 "$TMP"/corpus/*
mutations "$fuzz" "${FUZZ_CUBIN_SECONDS:-10}" 32768 1024 "$TMP/corpus"
found_keep
done_testing
