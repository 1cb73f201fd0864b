#!/usr/bin/env bash
# install.sh SET...: what `make setup` does. Installs the missing packages of these sets
# (setup/packages.tsv) with apt-get, as root or through sudo, and for the set check what
# setup/requirements.txt and requirements-alone.txt name into a private environment, VENV
# (build/venv). Says what it installs; where everything is there already, that costs a few queries.
set -euo pipefail
cd "$(dirname "$0")/.."
VENV=${VENV:-build/venv}
sets=" $* "

say() { printf '  %-7s %s\n' SETUP "$*"; }

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }
known() { apt-cache policy "$1" 2>/dev/null | grep 'Candidate: [^(]' >/dev/null; }
# Ubuntu's package of this name only fetches a snap, which is no use to a test.
snap() { apt-cache show "$1" 2>/dev/null | grep '^Version:.*snap' >/dev/null; }

can_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }
as_root() {
	if [ "$(id -u)" = 0 ]; then
		DEBIAN_FRONTEND=noninteractive "$@"
	elif command -v sudo >/dev/null; then
		sudo DEBIAN_FRONTEND=noninteractive "$@"
	else
		echo "setup: root or sudo is needed for: $*" >&2
		return 1
	fi
}

# The names of the sets' packages, as packages.tsv has them.
wanted() {
	local set package _
	while IFS=$'\t' read -r set package _; do
		case $sets in *" $set "*) printf '%s\n' "$package" ;; esac
	done < <(grep -v '^#' setup/packages.tsv)
}

# Version that package $1 stands for, as $2 begins the name: clang is clang-14, python3 is python3.11.
version() { apt-cache depends "$1" 2>/dev/null | sed -n "s/.*Depends: $2\([0-9.]*\)\$/\1/p"; }

# Those of the sets' packages that are not there, with their "?".
missing() {
	local package
	wanted | while read -r package; do
		case $package in
		*@CLANG@*) package=${package/@CLANG@/$(version clang clang-)} ;;
		*@PYTHON@*) package=${package/@PYTHON@/$(version python3 python)} ;;
		esac
		installed "${package#\?}" || printf '%s\n' "$package"
	done
}

# Package lists are fetched when something that must be there is not, or there are none at all.
update() {
	if [ -n "$(missing | sed '/^?/d')" ] || [ -z "$(apt-cache dumpavail 2>/dev/null | head -c 1)" ]; then
		say "apt-get update"
		as_root apt-get update -qq
	fi
}

system_packages() {
	local package out=()
	[ -n "$(missing)" ] || return 0
	if [ -z "$(missing | sed '/^?/d')" ] && ! can_root; then
		say "not root, no sudo, so without $(missing | tr -d '?' | paste -sd' '): what needs them skips"
		return 0
	fi
	if ! command -v apt-get >/dev/null; then
		echo "setup: no apt-get here; install by hand: $(missing | tr '\n' ' ')" >&2
		return 1
	fi
	update
	for package in $(missing); do
		case $package in
		\?*)
			package=${package#\?}
			if known "$package" && ! snap "$package"; then
				out+=("$package")
			else
				say "no package $package here: what needs it skips"
			fi ;;
		*) out+=("$package") ;;
		esac
	done
	[ ${#out[@]} -gt 0 ] || return 0
	say "apt-get install ${out[*]}"
	as_root apt-get install -y -qq --no-install-recommends "${out[@]}" >"$log" 2>&1 || { cat "$log"; return 1; }
}

# build/venv holds a copy of the lists it was made from: the same lists, nothing to do.
python_packages() {
	local lists="setup/requirements.txt setup/requirements-alone.txt"
	[ -x "$VENV/bin/python" ] && cat $lists | cmp -s - "$VENV/requirements.txt" && return 0
	say "python3 -m venv $VENV: $(cat $lists | grep -v '^#' | tr '\n' ' ')"
	mkdir -p "$(dirname "$VENV")"
	python3 -m venv "$VENV"
	"$VENV/bin/pip" install --quiet --disable-pip-version-check -r setup/requirements.txt
	"$VENV/bin/pip" install --quiet --disable-pip-version-check --no-deps -r setup/requirements-alone.txt
	cat $lists >"$VENV/requirements.txt"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
system_packages
case $sets in *" check "*) python_packages ;; esac
say "ready:$(printf ' %s' "$@")"
