#!/usr/bin/env bash
# vprof env: what it prints means the same to whom it is for.
. tests/tap.sh
. tests/run/lib.sh
unset VPROF_RING_MB
library=$BUILD/libvprof.so
odd="it's a \"folder\" \$HOME \`x\` \\ #;&
two"

# Real shells: whatever the values are, they come through; then a program is traced.
for shell in bash dash sh; do
	command -v $shell >/dev/null || continue
	is "$shell takes it" "$("$vprof" env -o "$odd" --nvtx 'a*,b?' >env.sh; $shell -c '. ./env.sh; printf "%s|%s|%s" "$LD_PRELOAD" "$VPROF_OUT" "$VPROF_NVTX"')" \
		"$library|$here/$odd|a*,b?"
done
eval "$("$vprof" env -o rings --ring-mb 2)"
"$client" --launches 4 >/dev/null
is "a shell that has evaluated it traces" "$("$vprof" top --json rings | python3 -c 'import json, sys; print(json.load(sys.stdin)["kernels"][0]["launches"])')" 4
is "to evaluate it again changes nothing" "$("$vprof" env --ring-mb 2 -o rings)" "$(unset LD_PRELOAD; "$vprof" env --ring-mb 2 -o rings)"
unset LD_PRELOAD VPROF_OUT VPROF_RING_MB
is "what is set already is printed too" "$(VPROF_RING_MB=9 "$vprof" env | grep ^export.*RING_MB)" "export VPROF_RING_MB=9"
is "an option comes first" "$(VPROF_RING_MB=9 "$vprof" env --ring-mb 3 | grep ^export.*RING_MB)" "export VPROF_RING_MB=3"
is "each variable is an option" "$(
	sed -n 's/^VPROF_ENV(VPROF_\([A-Z_]*\),.*/\1/p' "$OLDPWD/include/vprof/env.def" | tr A-Z_ a-z- | grep -vx out | while read -r name; do
		"$vprof" env --help | grep -qE "^ +(-., )?--$name[ []" || echo "$name"
	done)" ""
# One line for each option, in which a list may have been parted behind a comma.
is "the help of each tells its default" "$("$vprof" env --help | awk '
	/^ +(-., )?--/ { print line; line = $0; next } { sub(/^ +/, line ~ /,$/ ? "" : " "); line = line $0 } END { print line }' |
	sed -nE 's/^ *--([a-z-]+).*\(default: ([^ ()]*)\)$/\1 \2/p')" "$(
	sed -nE 's/^VPROF_ENV\(VPROF_([A-Z_]*), *[A-Z]*, *[a-z_]*, *"([^"]*)".*/\1 \2/p' "$OLDPWD/include/vprof/env.def" | grep -v '^OUT ' |
	while read -r name value; do echo "$(tr A-Z_ a-z- <<<"$name") $value"; done)"

# The other forms, to the letter. LD_PRELOAD of this shell is none of a container's or a unit's business.
export LD_PRELOAD=libm.so.6
is "docker" "$("$vprof" env --docker -o /r --trace launch,copy 2>err)" \
	"-v $library:$library:ro -v /r:/r -e LD_PRELOAD=$library -e VPROF_OUT=/r -e VPROF_RING_AT=out -e VPROF_TRACE=launch,copy"
is "with remarks on stderr, as comments" "$(grep -cv '^# ' err)" 0
ok "of --ipc and --shm-size" grep -q -- '--ipc=host.*' err
is "docker, quoted for eval" "$(eval "set -- $("$vprof" env --docker -o "/a b" 2>/dev/null)"; printf '%s|' "$@")" \
	"-v|$library:$library:ro|-v|/a b:/a b|-e|LD_PRELOAD=$library|-e|VPROF_OUT=/a b|-e|VPROF_RING_AT=out|"
is "docker, rings in memory if told so" "$("$vprof" env --docker --ring-at shm 2>/dev/null | grep -o 'RING_AT=[a-z]*')" "RING_AT=shm"
ok "docker, a folder that -v cannot take" not "$vprof" env --docker -o /a:b
is "slurm" "$("$vprof" env --slurm -o /r --trace launch,copy 2>/dev/null)" \
	"'--export=ALL,LD_PRELOAD=libm.so.6:$library,VPROF_OUT=/r,\"VPROF_TRACE=launch,copy\"'"
ok "slurm, a value that it cannot take" not "$vprof" env --slurm -o "/it's"
is "systemd" "$("$vprof" env --systemd -o '/a b%' --nvtx 'x"\' | grep -v '^#')" "[Service]
Environment=\"LD_PRELOAD=$library\"
Environment=\"VPROF_OUT=/a b%%\"
Environment=\"VPROF_NVTX=x\\\"\\\\\""
"$vprof" env --json -o "$odd" >e.json
is "JSON" "$(of e.json 'm["VPROF_OUT"] == sys.argv[3], m["LD_PRELOAD"]' "$here/$odd")" "(True, 'libm.so.6:$library')"
is "Ray: a job's runtime_env" "$(
	eval "$("$vprof" env --ray -o "$odd")"
	unset LD_PRELOAD
	python3 -c 'import json, os, sys; e = json.loads(os.environ["RAY_JOB_CONFIG_JSON_ENV_VAR"])["runtime_env"]["env_vars"]; print(e["VPROF_OUT"] == sys.argv[1], e["LD_PRELOAD"])' "$here/$odd")" \
	"True libm.so.6:$library"
unset LD_PRELOAD

is "two forms: wrong usage" "$("$vprof" env --ray --docker 2>/dev/null; echo $?)" 2
is "a word: wrong usage" "$("$vprof" env x 2>/dev/null; echo $?)" 2
is "a bad value: wrong usage" "$("$vprof" env --facts=maybe 2>/dev/null; echo $?)" 2
is "no library: failed, and nothing on stdout" "$(VPROF_LIBRARY=nonesuch "$vprof" env 2>/dev/null; echo $?)" 1
done_testing
