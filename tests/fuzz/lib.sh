# lib.sh - what the fuzz tests have in common: a corpus, mutations of it, and what they find is kept.
#
# Sourced behind tests/tap.sh.

[ -x "$BUILD/fuzz/fuzz_ring" ] || skip_all "no fuzz target: clang's fuzzer runtime is missing (Debian: clang, libclang-rt-14-dev)"
mkdir "$TMP/found"

# corpus FOLDER FILE.gz...: a new folder with what is packed there
corpus() {
	local folder=$1 packed
	shift
	mkdir "$folder"
	for packed; do
		gzip -dc "$packed" >"$folder/$(basename "$packed" .gz)"
	done
}

# mutations FUZZER SECONDS BYTES MB FOLDER: pass, of inputs of so many bytes, in so much memory
mutations() {
	ok "$2 s of mutations pass" "$1" -max_total_time="$2" -max_len="$3" -rss_limit_mb="$4" \
		-timeout=10 -artifact_prefix="$TMP/found/" -print_final_stats=1 "$5"
}

# Inputs that did not pass outlive the test.
found_keep() {
	local bad
	for bad in "$TMP"/found/*; do
		[ -e "$bad" ] || continue
		cp "$bad" "$BUILD/fuzz/"
		diag "input kept as $BUILD/fuzz/$(basename "$bad")"
	done
}
