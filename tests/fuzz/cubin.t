#!/usr/bin/env bash
# The cubin reader on bytes that nobody wrote: FUZZ_CUBIN_SECONDS (10) of libFuzzer.
. tests/tap.sh

fuzz=$BUILD/fuzz/fuzz_cubin
seconds=${FUZZ_CUBIN_SECONDS:-10}
[ -x "$fuzz" ] || skip_all "no fuzz target: clang's fuzzer runtime is missing (Debian: clang, libclang-rt-14-dev)"

mkdir "$TMP/corpus" "$TMP/found"
for packed in tests/cubin/corpus/*.gz; do
	gzip -dc "$packed" >"$TMP/corpus/$(basename "$packed" .gz)"
done
ok "every file of the corpus passes" "$fuzz" -runs=0 "$TMP"/corpus/*
ok "$seconds s of mutations pass" "$fuzz" -max_total_time="$seconds" -max_len=32768 -rss_limit_mb=1024 \
	-timeout=10 -artifact_prefix="$TMP/found/" -print_final_stats=1 "$TMP/corpus"
for bad in "$TMP"/found/*; do
	[ -e "$bad" ] || continue
	cp "$bad" "$BUILD/fuzz/"
	diag "input kept as $BUILD/fuzz/$(basename "$bad")"
done
done_testing
