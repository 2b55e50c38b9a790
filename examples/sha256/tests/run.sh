#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: sh tests/run.sh [BINARY]

sha256=${1:-./sha256}
case $sha256 in
/*) ;;
*) sha256=$PWD/$sha256 ;;
esac
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

# digest INPUT DIGEST [OPTION...]: INPUT may hold the escapes of printf's %b
digest() {
    input=$1
    expected=$2
    shift 2
    actual=$(printf '%b' "$input" | "$sha256" "$@" 2>&1)
    verdict "digest $input $*" "0 $expected  -" "$? $actual"
}

# derive BYTES OPTION...
derive() {
    expected=$1
    shift
    actual=$("$sha256" "$@" 2>&1)
    verdict "derive $*" "0 $expected" "$? $actual"
}

# repeat COUNT TEXT
repeat() {
    count=$1 text=$2 awk 'BEGIN {
        for (i = 0; i < ENVIRON["count"]; i++)
            printf "%s", ENVIRON["text"]
    }'
}

# Digests: the examples of NIST, and zeros around the edges of a block.
digest '' e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
digest abc ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
digest abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq \
    248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1
digest "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn\
hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu" \
    cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1
digest '\0275' \
    68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b
digest '\0311\0214\0216\0125' \
    7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504
digest "$(repeat 55 '\0')" \
    02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7
digest "$(repeat 56 '\0')" \
    d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb
digest "$(repeat 57 '\0')" \
    65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785
digest "$(repeat 63 '\0')" \
    c7723fa1e0127975e49e62e753db53924c1bd84b8ac1ac08df78d09270f3d971
digest "$(repeat 64 '\0')" \
    f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b
digest "$(repeat 65 '\0')" \
    98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7
digest "$(repeat 50000 aaaaaaaaaaaaaaaaaaaa)" \
    cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0

# All lengths from 0 to 129, as the digest of the digests.
: >"$work/input"
length=0
while [ "$length" -lt 130 ]; do
    "$sha256" <"$work/input"
    printf a >>"$work/input"
    length=$((length + 1))
done >"$work/digests"
digest "$(cat "$work/digests")\n" \
    3c53fbea9bf18eb608d94102e23d58cac4fff819937c6ee2fba6876c0e87e73e

# HMACs: RFC 4231, cases 1 to 4, 6 and 7.
digest 'Hi There' \
    b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7 \
    -k "$(repeat 20 0b)"
digest 'what do ya want for nothing?' \
    5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843 \
    -k 4a656665
digest "$(repeat 50 '\0335')" \
    773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe \
    -k "$(repeat 20 AA)"
digest "$(repeat 50 '\0315')" \
    82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b \
    -k 0102030405060708090a0b0c0d0e0f10111213141516171819
digest 'Test Using Larger Than Block-Size Key - Hash Key First' \
    60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54 \
    -k "$(repeat 131 aa)"
digest "This is a test using a larger than block-size key and a larger than \
block-size data. The key needs to be hashed before being used by the HMAC \
algorithm." \
    9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2 \
    -k "$(repeat 131 aa)"

# HKDF: RFC 5869, cases 1 to 3, and the longest.
derive "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf\
34007208d5b887185865" \
    -d 42 -k "$(repeat 22 0b)" -s 000102030405060708090a0b0c \
    -i f0f1f2f3f4f5f6f7f8f9
derive "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
cc30c58179ec3e87c14c01d5c1f3434f1d87" -d 82 \
    -k "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\
404142434445464748494a4b4c4d4e4f" \
    -s "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f\
808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f\
a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" \
    -i "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf\
d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef\
f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
derive "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d\
9d201395faa4b61a96c8" -d 42 -k "$(repeat 22 0b)"
derive '' -d 0 -k ''
digest "$("$sha256" -d 8160 -k "$(repeat 22 0b)")\n" \
    3b372a0a031bb881760b2b689611103c104571921c35390814a23ccb0c739106

# Lists. From here on file names matter, and the tests run among the files.
cd "$work" || exit 2
printf abc >abc
: >empty
printf abc >'back\slash'
zero=0000000000000000000000000000000000000000000000000000000000000000
"$sha256" abc empty 'back\slash' >list
verdict 'a list' \
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty
\\ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  back\\\\slash" \
    "$(cat list)"

# check NAME EXPECTED [OPTION...] [LIST]
check() {
    name=$1
    expected=$2
    shift 2
    actual=$("$sha256" -c "$@" 2>&1)
    verdict "check $name" "$expected" "$? $actual"
}

check 'good' '0 abc: OK
empty: OK
back\slash: OK' list
printf '%s *abc\n%s  empty\n' "$zero" "$zero" >input
check 'wrong digests' '1 sha256: -: files that failed: 2
abc: FAILED
empty: FAILED' <input
printf '%s  absent\n' "$zero" >input
check 'no such file' '1 sha256: cannot open absent
sha256: -: files that failed: 1
absent: FAILED open or read' - <input
{
    printf '\n%.63s  abc\n%.63sg  abc\n' "$zero" "$zero"
    printf '%s abc\n%s\n%s  \n' "$zero" "$zero" "$zero"
    printf '\\%s  ab\\c\n' "$zero"
    head -n 1 list
} >input
check 'malformed lines' '0 sha256: -: malformed lines: 7
abc: OK' <input
check 'an empty list' '1 ' empty
check 'no list' '2 sha256: cannot open absent' absent
"$sha256" -k 00ff abc >list
check 'HMACs' '0 abc: OK' -k 00ff list
check 'another key' '1 sha256: list: files that failed: 1
abc: FAILED' -k 00fe list

# Trouble.
actual=$("$sha256" absent abc 2>&1)
verdict 'absent' "2 sha256: cannot open absent
ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc" \
    "$? $actual"
actual=$("$sha256" -d 8161 -k 00 2>&1)
verdict 'too long' '2 sha256: at most 8160 bytes can be derived' "$? $actual"
for arguments in '-x' '-k' '-k 0' '-k 0g' '-d 8' '-d x -k 00' '-s 00' \
    '-d 8 -k 00 abc' '-c -d 8 -k 00'; do
    # The arguments are words on purpose.
    # shellcheck disable=SC2086
    actual=$("$sha256" $arguments </dev/null 2>&1 | head -n 1)
    verdict "usage: $arguments" 'usage: sha256' "$(printf '%.13s' "$actual")"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
