#!/usr/bin/env bash
# Each launch has the name of its kernel, whatever was launched of late, and by whom.
. tests/tap.sh
. tests/safety/lib.sh

# named THREADS KERNELS ROUNDS: how many launches there are, with their own kernel's name and with another's.
named() {
	drop "$OUT"
	traced FAKECUDA_INSTANT=1 "$BUILD/tests/shim/recent" "$@"
	"$BUILD/vprof" dump "$OUT"/*.ring | awk '
		/ kernel=.* grid=/ { match($0, / kernel=[kl][0-9]+/); name = substr($0, RSTART + 9, RLENGTH - 9)
			     match($0, / grid=[0-9]+/); grid = substr($0, RSTART + 6, RLENGTH - 6)
			     if (name == grid - 1) right++; else wrong++
			     if (/ kernel=l/) second++ }
		END { printf "%d right, %d wrong, %d of the second module\n", right, wrong, second }'
}

is "one thread, a few kernels" "$(named 1 40 20)" "1600 right, 0 wrong, 800 of the second module"
is "one thread, many" "$(named 1 1000 4)" "8000 right, 0 wrong, 4000 of the second module"
is "eight threads, many" "$(named 8 1000 4)" "64000 right, 0 wrong, 32000 of the second module"
is "eight threads, a few" "$(named 8 300 10)" "48000 right, 0 wrong, 24000 of the second module"
# Halves of two threads' entries meet once in some 200,000 launches.
is "two threads, over and over" "$(named 2 2000 100)" "800000 right, 0 wrong, 400000 of the second module"

done_testing
