#!/usr/bin/env bash
# The demo's trace opens in the real Perfetto UI, and the page has all that the rings have.
. tests/tap.sh
. tests/readers/lib.sh
need_browser

ok "the demo runs" run_demo
killed=$(sed -n 's/^killed //p' "$TMP/demo/client.log")
ask() { perfetto "$1" >"$2"; }
ok "the page opens the trace" ask "$TMP/demo/trace.json" "$TMP/page"
[ -s "$TMP/page" ] || done_testing

# cut_page QUERY FIELDS: those fields of the rows that answer one query.
cut_page() { grep "^$1	" "${3:-$TMP/page}" | cut -f "$2"; }

is "Perfetto finds no error in it" "$(cut_page error 2-)" ""
# Which graphs were timed before a worker ended, and so which GPUs have tracks, is not known beforehand.
awk -F'\t' '$1 == "process" && $3 ~ /^GPU / { gpu[$2] = 1 }
	{ print > ($1 ~ /^(process|thread)$/ && $2 in gpu ? gpus : hosts) }' gpus="$TMP/gpus" hosts="$TMP/hosts" "$TMP/page"
touch "$TMP/gpus"
is "three processes, by command" "$(cut_page process 3 "$TMP/hosts" | sed 's/ (pid.*//' | sort)" \
	"$(printf 'demo_client --worker %d 100\n' 0 1 2)"
is "four threads each, by name" "$(cut_page thread 4 "$TMP/hosts" | grep -v '^steps of ' | sed 's/ (.*//' | sort | uniq -c | sed 's/^ *//')" \
	"$(printf '3 %s\n' decode-1 decode-2 main prefill)"
# Those in parentheses are no calls: a lane's new thread, the GPU's clock, what stamps said.
is "every call is a slice" "$(cut_page thread 4-5 "$TMP/hosts" | grep -v '^steps of ' | awk -F'\t' '{ n += $2 } END { print n }')" \
	"$("$BUILD/vprof" dump "$TMP"/demo/*.ring | awk '!/^#/ && $5 !~ /^\(/ { n++ } END { print n }')"
is "so is all that the GPU was seen to do" "$(cut_page thread 5 "$TMP/gpus" | awk '{ n += $1 } END { print n + 0 }')" \
	"$(grep -c '"ph":"X".*"raw ns"' "$TMP/demo/trace.json")"
is "a GPU is a process, named by the worker that it works for" \
	"$(cut_page process 3 "$TMP/gpus" | grep -v '^GPU 0 of demo_client --worker [0-2] 100 (pid [0-9]*)$')" ""
# 3 workers: 100 prefill steps of 4 layers, and the capture of 4 layers by two decode threads.
is "launches by kernel" "$(cut_page kernel 2-3)" "$(printf '%s\t%d\n' '[in flight] demo::all_reduce' 1 \
	demo::all_reduce 199 demo::attention 1224 demo::embed 300 demo::mlp 1224 demo::sample 600)"
is "the call that the killed worker died in" "$(cut_page inflight 2-3)" "$killed	[in flight] demo::all_reduce"
ok "it lasts to the end of the trace" test "$(cut_page inflight 4)" -gt 100000000
is "the timeline has a track for each thread" "$(cut_page track 2-3 | grep -c -E '^1	(main|prefill|decode-[12]) ')" 12
is "and a group for each process" "$(cut_page track 2-3 | grep -c '^0	demo_client --worker')" 3

# What is not in a trace is not in the page either; Perfetto names a main thread by its process.
grep -v -e '"thread_name"' -e '"in_flight":true' "$TMP/demo/trace.json" >"$TMP/less.json"
ok "a trace with less opens" ask "$TMP/less.json" "$TMP/less"
is "it shows neither thread names nor the open call" \
	"$(cut_page inflight 2- "$TMP/less"; cut_page thread 4 "$TMP/less" | grep -v '^$' | grep -v '^demo_client')" ""
head -c 3000 "$TMP/demo/trace.json" | tr '{' '<' >"$TMP/broken.json"
ok "a file that is no trace does not open" not perfetto "$TMP/broken.json"
done_testing
