#!/usr/bin/env bash
# The ring readers on bytes that nobody wrote, as a ring and as its spill: FUZZ_SECONDS (60) of libFuzzer each.
. tests/tap.sh

fuzz=$BUILD/fuzz/fuzz_ring
seconds=${FUZZ_SECONDS:-60}
[ -x "$fuzz" ] || skip_all "no fuzz target: clang's fuzzer runtime is missing (Debian: clang, libclang-rt-14-dev)"

mkdir "$TMP/corpus" "$TMP/found"
for packed in tests/fuzz/corpus/*.ring.gz; do
	gzip -dc "$packed" > "$TMP/corpus/$(basename "$packed" .gz)"
done
ok "a corpus to start from" test -s "$TMP/corpus/one.ring"
ok "every ring of the corpus passes" "$fuzz" -runs=0 "$TMP"/corpus/*.ring
ok "$seconds s of mutations pass" "$fuzz" -max_total_time="$seconds" -max_len=98304 -rss_limit_mb=2048 \
	-timeout=10 -artifact_prefix="$TMP/found/" -print_final_stats=1 "$TMP/corpus"
mkdir "$TMP/spills"
for packed in tests/fuzz/corpus/*.spill.gz; do
	gzip -dc "$packed" > "$TMP/spills/$(basename "$packed" .gz)"
done
ok "every spill of the corpus passes" "$BUILD/fuzz/fuzz_spill" -runs=0 "$TMP"/spills/*.spill
ok "$seconds s of mutations pass" "$BUILD/fuzz/fuzz_spill" -max_total_time="$seconds" -max_len=98304 -rss_limit_mb=2048 \
	-timeout=10 -artifact_prefix="$TMP/found/" -print_final_stats=1 "$TMP/spills"
for bad in "$TMP"/found/*; do
	[ -e "$bad" ] || continue
	cp "$bad" "$BUILD/fuzz/"
	diag "input kept as $BUILD/fuzz/$(basename "$bad")"
done
done_testing
