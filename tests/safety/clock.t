#!/usr/bin/env bash
# Which clock a ring has: the processor's counter, unless the kernel has found that it is not to be relied on.
# The kernel's list is one of our own, in a mount namespace of its own.
. tests/safety/namespace.sh
. tests/tap.sh
. tests/safety/lib.sh

list=/sys/devices/system/clocksource/clocksource0/available_clocksource
traced "$PROGRAMS/calls" >/dev/null 2>&1 3>&1
usual=$("$BUILD/vprof" info --json "$OUT" | sed -n 's/.*"clock": "\([a-z]*\)".*/\1/p')
ok "the clock has a name" test -n "$usual"
if [ "$SAFETY_NAMESPACE" = none ] || [ "$usual" != tsc ] || [ ! -e "$list" ]; then
	ok "the kernel's list # SKIP no mount namespace, no counter that all processors share, or no list" true
	done_testing
fi
mount --make-rprivate /

# clock_with NAME WANTED LIST: another list
clock_with() {
	printf "$3" >"$TMP/list"
	mount --bind "$TMP/list" "$list"
	run_both "$PROGRAMS/calls"
	umount "$list"
	ok "$1: output and exit status" unchanged
	ok "$1: nothing on stderr" diff "$TMP/plain.err" "$TMP/traced.err"
	is "$1: $2" "$("$BUILD/vprof" info --json "$OUT" | sed -n 's/.*"clock": "\([a-z]*\)".*/\1/p')" "$2"
}
clock_with "a kernel that trusts the counter" tsc 'kvm-clock hpet tsc acpi_pm \n'
clock_with "one that does not" monotonic 'hpet acpi_pm \n'
clock_with "nor is this the counter" monotonic 'hyperv_clocksource_tsc_page \n'
clock_with "an empty list says nothing" tsc ''
done_testing
