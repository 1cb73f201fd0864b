# lib.sh - what the GPU tests share. Source it from a test in tests/gpu/, which
# runs in the repository root:
#
#	. tests/gpu/lib.sh
#	need_gpu
#
# OUT is the folder for logs, rings and traces: given, or made under /tmp and named at
# the end of the run. Nothing here sets LD_PRELOAD for the shell itself: only the
# programs under test run under the preload.

. tests/tap.sh
ROOT=$PWD
OUT=${OUT:-$(mktemp -d "${TMPDIR:-/tmp}/vprof-gpu.XXXXXX")}
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
export OUT BUILD ROOT PYTHONDONTWRITEBYTECODE=1
VPROF=$BUILD/vprof
VPROF_MERGE=$BUILD/vprof-merge
LIBVPROF=$BUILD/libvprof.so
export VPROF VPROF_MERGE LIBVPROF

# Skips the whole test where there is no GPU.
need_gpu() {
	local why
	[ -x "$BUILD/gpu/preload_probe" ] || skip_all "$BUILD/gpu is not built: make check-gpu does it"
	why=$("$BUILD/gpu/preload_probe" device 2>&1) || skip_all "no GPU here (${why##*$'\n'})"
	diag "$why"
}

# need_python MODULE...: skips where python3 lacks one.
need_python() {
	local m
	for m; do
		python3 -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$m') is None)" ||
			skip_all "python3 has no $m"
	done
}

# Sets VLLM (a command), VLLM_FLAGS and MODEL: from the environment, from the kit in
# VPROF_KIT (default .kit; made for machines without a network), or from an installed vllm.
need_vllm() {
	local kit=${VPROF_KIT:-$ROOT/.kit}
	if [ -z "${VLLM:-}" ] && [ -s "$kit/env.sh" ]; then
		. "$kit/env.sh" || skip_all "$kit/env.sh failed"
		MODEL=${MODEL:-/tmp/model-1b}
	elif [ -z "${VLLM:-}" ] && command -v vllm >/dev/null; then
		VLLM=vllm
	fi
	[ -n "${VLLM:-}" ] || skip_all "no vllm here, nor a kit in $kit"
	[ -n "${MODEL:-}" ] || skip_all "set MODEL to a model that vllm serves with VLLM_FLAGS"
	export VLLM VLLM_FLAGS=${VLLM_FLAGS:-} MODEL
}

# tap_from FILE: results that another program wrote, one a line: "ok NAME", "not ok NAME", "# text".
tap_from() {
	local line
	[ -s "$1" ] || { ok "$1 holds results" false; return; }
	while IFS= read -r line; do
		case $line in
		"ok "*) ok "${line#ok }" true ;;
		"not ok "*) ok "${line#not ok }" false ;;
		*) diag "${line#\# }" ;;
		esac
	done <"$1"
}
