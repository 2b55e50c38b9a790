#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: sh tests/run.sh [BINARY]

regex=${1:-./regex}
log=$(dirname "$0")/log.txt
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

# finds PATTERN TEXT MATCHES [OPTION...]: MATCHES has one line for each
finds() {
    pattern=$1
    text=$2
    expected=$3
    shift 3
    actual=$(printf '%s\n' "$text" | "$regex" "$@" -o -- "$pattern" 2>&1)
    verdict "$pattern in $text $*" "0 $expected" "$? $actual"
}

# whole PATTERN TEXT: the pattern matches all of the text
whole() {
    actual=$(printf '%s\n' "$2" | "$regex" -x -- "$1" 2>&1)
    verdict "$1 is $2" "0 $2" "$? $actual"
}

# misses PATTERN TEXT [OPTION...]
misses() {
    pattern=$1
    text=$2
    shift 2
    actual=$(printf '%s\n' "$text" | "$regex" "$@" -- "$pattern" 2>&1)
    verdict "$pattern not in $text $*" "1 " "$? $actual"
}

# bad PATTERN MESSAGE
bad() {
    actual=$("$regex" -- "$1" </dev/null 2>&1)
    verdict "bad $1" "2 regex: $2" "$? $actual"
}

# grep EXPECTED ARGUMENT...
grep() {
    expected=$1
    shift
    actual=$("$regex" "$@" 2>&1)
    verdict "$*" "$expected" "$? $actual"
}

# Bytes, sequences, alternatives.
finds 'abc' 'xabcx' 'abc'
finds 'a.c' 'ac abc a-c' 'abc
a-c'
finds 'ab|cd|e' 'abcdecd' 'ab
cd
e
cd'
finds 'a|ab' 'ab' 'a'
finds 'ab|a' 'ab' 'ab'
finds 'x(|y)z' 'xz xyz' 'xz
xyz'
finds '\.\*\\' 'a.*\' '.*\'
finds '\x41\x7a' 'Az' 'Az'
finds 'a\tb' 'a	b' 'a	b'
misses 'abc' 'ab'
misses '(ab|cd)e' 'abd'
whole '' ''
whole '()' ''

# Repetition.
finds 'ab*' 'a ab abbb' 'a
ab
abbb'
finds 'ab+' 'a ab abbb' 'ab
abbb'
finds 'ab?' 'a ab abbb' 'a
ab
ab'
finds 'a{2}' 'aaaaa' 'aa
aa'
finds 'a{2,}' 'a aa aaaa' 'aa
aaaa'
finds 'a{1,3}' 'aaaaa' 'aaa
aa'
finds 'ba{0}c' 'bac bc' 'bc'
finds 'ba{0,2}c' 'bc bac baac baaac' 'bc
bac
baac'
finds '(ab){2}{2}' 'abababababab' 'abababab'
finds '<.+?>' '<a><b>' '<a>
<b>'
finds 'a{2,3}?' 'aaaaa' 'aa
aa'
finds 'a??b' 'ab' 'ab'
finds 'x*?$' 'axx' 'xx'
whole '(a|b)*?c' 'abbac'
whole '[ab]{3}([0-9]{2}-){2,4}' 'aba12-34-56-'
whole 'a{1000}' "$(awk 'BEGIN { for (i = 0; i < 1000; i++) printf "a" }')"
misses 'a{1000}' "$(awk 'BEGIN { for (i = 0; i < 999; i++) printf "a" }')"

# Classes.
finds '[a-cx]+' 'abcdxyz' 'abc
x'
finds '[^a-c]+' 'abcdeab' 'de'
finds '[]a-]+' 'x]-a]' ']-a]'
finds '[^]]+' ']ab]' 'ab'
finds '[[:digit:][:upper:]]+' 'a1B2c' '1B2'
finds '\d+\s\w+\D' '12 ab_3.' '12 ab_3.'
finds '[\d.]+' 'v1.4.2' '1.4.2'
finds '\S+' 'ab  cd' 'ab
cd'
finds '[\x61-\x63\]]+' 'xabc]' 'abc]'
misses '[^[:print:]]' 'ab'
misses '[[:xdigit:]]' 'xyz'

# Edges.
finds '^a' 'aaa' 'a'
finds 'a$' 'aaa' 'a'
finds '^(a|b$)' 'ab' 'a'
finds '\bcat\b' 'cat concat cat' 'cat
cat'
finds '\Bcat' 'cat concat' 'cat'
misses '^b|b^' 'ab'
misses 'a\b' 'ab'

# Groups.
finds '(a+)(b+)' 'aab ab' 'b
b' -g 2
finds '(?:a|(b))+' 'aba' 'b' -g 1
finds '((a)|b)+' 'ab' 'b' -g 1
finds '(\d+)-(\d+)-(\d+)' '2031-03-01' '03' -g 2
finds '(a)|(b)' 'abab' 'b
b' -g 2
finds '(a*)(ab)?b' 'aab' 'aa' -g 1
finds '(a*?)(ab)?b' 'aabb' 'ab' -g 2

# Letters of either case.
finds 'error' 'ERROR Error error' 'ERROR
Error
error' -i
finds '[a-m]+' 'ABZxyMl' 'AB
Ml' -i
misses '[^a]' 'Aa' -i

# What makes a backtracker slow.
many=$(awk 'BEGIN { for (i = 0; i < 2000; i++) printf "a" }')
whole '(a*)*' "$many"
misses '(a*)*b' "$many"
misses '(a|aa)+$' "${many}b"
misses '(x+x+)+y' "$(printf '%s' "$many" | tr a x)"
whole '(a?){30}a{30}' aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa

# Malformed patterns.
bad '*a' 'nothing to repeat at 0'
bad 'a|+' 'nothing to repeat at 2'
bad '({2})' 'nothing to repeat at 1'
bad '(a' 'group without an end at 2'
bad 'a)b' 'parenthesis without a group at 1'
bad '(?=a)' 'malformed group at 2'
bad '[a' 'class without an end at 2'
bad '[]' 'class without an end at 2'
bad '[b-a]' 'malformed range at 4'
bad '[[:foo:]]' 'unknown class name at 3'
bad '\q' 'malformed escape at 1'
bad 'a\' 'malformed escape at 2'
bad '\x4' 'malformed escape at 3'
bad 'a{' 'malformed repetition at 2'
bad 'a{,3}' 'malformed repetition at 2'
bad 'a{3,2}' 'malformed repetition at 5'
bad 'a{1001}' 'malformed repetition at 5'
bad '((a{1000}){1000}){1000}' 'pattern too large at 16'
bad "$(awk 'BEGIN { for (i = 0; i < 32; i++) printf "()" }')" \
    'too many groups at 63'
bad "$(awk 'BEGIN { for (i = 0; i < 101; i++) printf "(?:" }')" \
    'groups nested too deeply at 303'

# As grep.
error='2031-03-01 12:00:07 pump: ERROR 17 (pressure=0x1F)'
warning='2031-03-01 12:01:44 pump: warning 3 (pressure=0x08)'
rotated='2031-03-02 00:00:00 log: rotated'
grep "0 $error" 'ERROR' "$log"
grep "0 3:$error
5:$warning" -n '0x[01]' "$log"
grep '0 2' -ci 'error' "$log"
grep '0 4:' -vn '.' "$log"
grep "0 $rotated" -v '(boot|pump):|^$' "$log"
grep "0 $log" -l 'pump' "$log"
grep '0 ' -q 'pump' "$log"
grep '1 0' -c 'valve' "$log"
grep '0 0x1F
0x08
0x2a' -g 1 'pressure=([^)]*)' "$log"
printf 'rotated\nlog: rotated' >"$work/other"
grep "0 $work/other:rotated
$work/other:log: rotated
$log:$rotated" '(log: )?rotated$' "$work/other" "$log"
grep "0 rotated" -hx 'rotated' "$work/other" "$log"
grep '0 log: rotated' ': ' <"$work/other"
: >"$work/empty"
grep '1 ' -v x "$work/empty"
grep "2 regex: cannot read $work/absent
log: rotated" -h 'log: r' "$work/absent" "$work/other"
grep '2 regex: no group 2' -g 2 '(a)' "$log"
for arguments in '' '-z a' '-g' '-g x a'; do
    # The arguments are words on purpose.
    # shellcheck disable=SC2086
    actual=$("$regex" $arguments </dev/null 2>&1 | head -n 1)
    verdict "usage: $arguments" 'usage: regex' "$(printf '%.12s' "$actual")"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
