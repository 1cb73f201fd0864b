# lib.sh - what the tests of this folder share. Source it after tests/tap.sh.

BUILD=$(realpath "$BUILD")
VENV=$(realpath -m "${VENV:-build/venv}")
LIBRARY=$BUILD/libvprof.so
OUT=$TMP/out
unset "${!VPROF_@}" "${!FAKECUDA_@}" LD_PRELOAD NVTX_INJECTION64_PATH

plain() { env LD_LIBRARY_PATH="$BUILD/fakecuda" VPROF_OUT="$OUT" "$@"; }
# A fresh output folder each time.
traced() { drop "$OUT"; added "$@"; }
# In the background write `run=exec added ... &`: then $! is the program.
added() { ${run:-} env LD_LIBRARY_PATH="$BUILD/fakecuda" VPROF_OUT="$OUT" LD_PRELOAD="$LIBRARY" "$@"; }

# merge: all rings of $OUT as $TMP/t.json; what it says goes to $TMP/merge.err.
merge() { "$BUILD/vprof-merge" "$OUT" -o "$TMP/t.json" 2>"$TMP/merge.err"; }
# said JQ: of each event that the program asked for, in the order of the file.
said() { jq -r ".traceEvents[] | select(.cat == \"user_annotation\") | $1" "$TMP/t.json"; }
# launches: how many were made in which range.
launches() { jq -r '.traceEvents[] | select(.cat == "launch") | .args.range // "-"' "$TMP/t.json" | sort | uniq -c | awk '{$1 = $1; print}'; }
# dumped CALL: the lines of `vprof dump` for it, without times and numbers.
dumped() { "$BUILD/vprof" dump "$OUT" | awk -v call="$1" '$5 == call { for (i = 7; i < NF; i++) printf "%s ", $i; print "" }' | sed 's/ $//'; }
labels() { "$BUILD/vprof" dump --defs --json "$OUT" | jq -r "select(.type == \"$1\") | .name"; }

# Where the headers of NVTX 3 are; empty: nowhere.
nvtx_headers() {
	local folder
	for folder in "$VENV"/lib/python3*/site-packages/nvidia/{cu13,nvtx}/include ${CUDA_HOME:+"$CUDA_HOME/include"} \
		/usr/local/cuda/include /usr/include; do
		[ ! -f "$folder/nvtx3/nvToolsExtCuda.h" ] || { echo "$folder"; return; }
	done
}
