#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: sh tests/run.sh [BINARY]

lz=${1:-./lz}
here=$(dirname "$0")
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# verdict NAME EXPECTED ACTUAL
verdict() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3"
    fi
}

# round NAME LIMIT EFFORT...: $work/raw must come back, and its packed form be
# of LIMIT bytes or less
round() {
    name=$1
    limit=$2
    shift 2
    for effort in "$@"; do
        "$lz" c "$effort" <"$work/raw" >"$work/packed" &&
            "$lz" d <"$work/packed" >"$work/back" &&
            cmp "$work/raw" "$work/back"
        verdict "$name, effort $effort" 0 $?
        size=$(($(wc -c <"$work/packed")))
        [ "$size" -le "$limit" ]
        verdict "$name, effort $effort: $size bytes, not $limit" 0 $?
    done
}

# hex FILE
hex() {
    od -An -v -tx1 "$1" | tr -d ' \n'
}

# packs TEXT HEX: TEXT may hold the escapes of printf's %b
packs() {
    printf '%b' "$1" >"$work/raw"
    "$lz" c <"$work/raw" >"$work/packed"
    verdict "packs $1" "$2" "$(hex "$work/packed")"
}

# unpacks BLOCK TEXT
unpacks() {
    actual=$(printf '%b' "$1" | "$lz" d 2>&1)
    verdict "unpacks $1" "0 $2" "$? $actual"
}

# bad BLOCK MESSAGE
bad() {
    actual=$(printf '%b' "$1" | "$lz" d 2>&1)
    verdict "bad $1" "1 lz: $2" "$? $actual"
}

# The format, byte by byte.
packs '' 4c5a310000000000
packs 'a' 4c5a3101006143beb7e8
packs 'abcabcabc' 4c5a3109026162638c0218482d46
packs 'aaaaaaaaaa' 4c5a310a00619800f0cd114c
unpacks 'LZ1\0\0\0\0\0' ''
unpacks 'LZ1\001\0a\0103\0276\0267\0350' 'a'
unpacks 'LZ1\0200\0\0\0\0\0' ''
unpacks 'LZ1\011\002abc\0214\002\0030H-F' 'abcabcabc'
unpacks 'LZ1\011\002abc\0302\0\002\0030H-F' 'abcabcabc'
unpacks 'LZ1\012\0a\0230\0\0360\0315\021L' 'aaaaaaaaaa'

# There and back.
: >"$work/raw"
round 'nothing' 8 1 6 9
printf 'x' >"$work/raw"
round 'one byte' 10 1 6 9
cat "$here/run.sh" "$here/run.sh" "$here/run.sh" >"$work/raw"
round 'text' 3500 1 6 9
awk 'BEGIN { for (i = 0; i < 20000; i++) print i * i % 1000 }' >"$work/raw"
round 'a long period' 3000 1 6 9
awk 'BEGIN { for (i = 0; i < 300000; i++) printf "a" }' >"$work/raw"
round 'a run' 20 1 6 9
LC_ALL=C awk 'BEGIN {
    seed = 1
    for (i = 0; i < 70000; i++) {
        seed = seed * 16807 % 2147483647
        printf "%c", 1 + int(seed / 1024) % 255
    }
}' >"$work/noise"
cat "$work/noise" >"$work/raw"
round 'noise' 70600 1 6 9
dd if="$work/noise" of="$work/raw" bs=65536 count=1 2>/dev/null
dd if="$work/noise" bs=100 count=1 2>/dev/null >>"$work/raw"
round 'a match as far back as can be' 66070 9

# What the t command says.
printf 'abcabcabc' | "$lz" c >"$work/packed"
actual=$("$lz" t <"$work/packed" 2>&1)
verdict 't' '0 9 bytes, 14 packed' "$? $actual"

# Malformed blocks.
bad '' 'not a packed block'
bad 'LZ' 'not a packed block'
bad 'LZ2\0\0\0\0\0' 'not a packed block'
bad 'LZ1' 'truncated block'
bad 'LZ1\0200' 'truncated block'
bad 'LZ1\0377\0377\0377\0377\0377\001' 'not a packed block'
bad 'LZ1\0377\0377\0377\0377\017' 'too large'
bad 'LZ1\001' 'truncated block'
bad 'LZ1\002\001a' 'truncated block'
bad 'LZ1\001\001ab' 'a sequence is too long'
bad 'LZ1\003\0200\0' 'a match reaches back too far'
bad 'LZ1\004\0a\0200\001' 'a match reaches back too far'
bad 'LZ1\005\0a\0301\0377\0377' 'a match reaches back too far'
bad 'LZ1\003\0a\0200\0' 'a sequence is too long'
bad 'LZ1\004\0a\0200' 'truncated block'
bad 'LZ1\005\0a\0300\0' 'truncated block'
bad 'LZ1\005\0a\0377\0\0' 'truncated block'
bad 'LZ1\005\0a\0377\0\0\0377\0377\0377\0377\017' 'a sequence is too long'
bad 'LZ1\005\0a\0377\0\0\0377\0377\0377\0377\0377\017' 'a sequence is too long'
bad 'LZ1\001\0a\0103\0276\0267' 'truncated block'
bad 'LZ1\001\0a\0103\0276\0267\0351' 'wrong checksum'
bad 'LZ1\001\0b\0103\0276\0267\0350' 'wrong checksum'
bad 'LZ1\001\0a\0103\0276\0267\0350x' 'bytes after the end of the block'

# No block that was cut short, and none of which a byte was changed, unpacks.
printf 'a block, a block, a packed block' | "$lz" c 9 >"$work/packed"
size=$(($(wc -c <"$work/packed")))
accepted=0
i=0
while [ "$i" -lt "$size" ]; do
    dd if="$work/packed" of="$work/cut" bs=1 count="$i" 2>/dev/null
    "$lz" d <"$work/cut" >/dev/null 2>&1
    [ $? -eq 1 ] || accepted=$((accepted + 1))
    cp "$work/packed" "$work/changed"
    printf '\125' |
        dd of="$work/changed" bs=1 seek="$i" conv=notrunc 2>/dev/null
    "$lz" d <"$work/changed" >/dev/null 2>&1
    [ $? -eq 1 ] || accepted=$((accepted + 1))
    i=$((i + 1))
done
verdict "$size blocks cut short, $size changed: accepted" 0 "$accepted"

# Usage.
for arguments in '' 'x' 'c 0' 'c 10' 'd 1' 'c 1 1'; do
    # The arguments are words on purpose.
    # shellcheck disable=SC2086
    actual=$("$lz" $arguments </dev/null 2>&1 | head -n 1)
    verdict "usage: $arguments" 'usage: lz' "$(printf '%.9s' "$actual")"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
