#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: sh tests/run.sh [BINARY]

json=${1:-./json}
here=$(dirname "$0")
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

# good INPUT EXPECTED [OPTION...]: INPUT may hold the escapes of printf's %b
good() {
    input=$1
    expected=$2
    shift 2
    actual=$(printf '%b' "$input" | "$json" "$@" 2>&1)
    verdict "$input $*" "0 $expected" "$? $actual"
}

# bad INPUT MESSAGE [OPTION...]
bad() {
    input=$1
    expected=$2
    shift 2
    actual=$(printf '%b' "$input" | "$json" "$@" 2>&1)
    verdict "$input $*" "1 json: $expected" "$? $actual"
}

# Whole documents.
verdict 'pretty' "$(cat "$here/document.pretty")" \
    "$("$json" <"$here/document.json")"
verdict 'pretty, again' "$(cat "$here/document.pretty")" \
    "$("$json" <"$here/document.pretty")"
verdict 'minified, ASCII, shortest numbers' "$(cat "$here/document.small")" \
    "$("$json" -m -a -n <"$here/document.json")"
verdict 'there and back' "$(cat "$here/document.pretty")" \
    "$("$json" -m <"$here/document.json" | "$json" -i 2)"

# Values.
good ' null ' 'null'
good '[true,false]' '[true,false]' -m
good '0' '0'
good '-0' '-0' -n
good '[1.50,1e2,-1E-2,0.1]' '[1.5,100,-0.01,0.1]' -m -n
good '[9223372036854775807,-9223372036854775808]' \
    '[9223372036854775807,-9223372036854775808]' -m -n
good '[1e400,5e-324]' '[1e400,4.94065645841247e-324]' -m -n
good '[ ]' '[]'
good '{ }' '{}'
good '[1]' '[
    1
]' -i 4

# Strings.
good '"\\"\\\\\\/\\b\\f\\n\\r\\t"' '"\"\\/\b\f\n\r\t"'
good '"\\u0000\\u001F\\u007f"' '"\u0000\u001f'"$(printf '\177')"'"'
good '"\\u00e9\\uFFFF"' '"\u00e9\uffff"' -a
good '"\\uD83D\\uDE00"' "$(printf '"\360\237\230\200"')"
good '"\0364\0217\0277\0277"' '"\udbff\udfff"' -a
good '"\0302\0200\0337\0277\0340\0240\0200"' '"\u0080\u07ff\u0800"' -a

# JSON pointers.
good '{"a":[10,{"b":"c"}]}' '"c"' -g /a/1/b
good '{"a/b":1,"m~n":2,"a/b":3}' '3' -g /a~1b
good '{"a/b":1,"m~n":2}' '2' -g /m~0n
good '{"":{"":7}}' '7' -g //
bad '{"a":[1]}' 'nothing at /a/1' -g /a/1
bad '[1,2]' 'nothing at /01' -g /01
bad '[1]' 'nothing at /99999999999999999999999999' \
    -g /99999999999999999999999999
bad '[1]' 'nothing at 0' -g 0

# Malformed input.
bad '' 'line 1, column 1: unexpected end of input'
bad '[1,\n 2' 'line 2, column 3: unexpected end of input'
bad '[1,]' 'line 1, column 4: unexpected character'
bad '[1 2]' 'line 1, column 4: unexpected character'
bad '{"a" 1}' 'line 1, column 6: unexpected character'
bad '{a:1}' 'line 1, column 2: unexpected character'
bad '{"a":1,}' 'line 1, column 8: unexpected character'
bad '{"a":1]' 'line 1, column 7: unexpected character'
bad 'nul' 'line 1, column 4: unexpected end of input'
bad 'nulL' 'line 1, column 4: unexpected character'
bad '1 2' 'line 1, column 3: text after the end of the value'
bad '01' 'line 1, column 2: malformed number'
bad '[-]' 'line 1, column 3: malformed number'
bad '[1.]' 'line 1, column 4: malformed number'
bad '1e+' 'line 1, column 4: unexpected end of input'
bad '+1' 'line 1, column 1: unexpected character'
bad '"abc' 'line 1, column 5: unexpected end of input'
bad '"a\nb"' 'line 1, column 3: control character in a string'
bad '"\\x"' 'line 1, column 3: malformed escape'
bad '"\\u12G4"' 'line 1, column 6: malformed escape'
bad '"ab\\ud800"' 'line 1, column 4: half a surrogate pair'
bad '"\\ud800\\u0041"' 'line 1, column 2: half a surrogate pair'
bad '"\\udc00\\ud800"' 'line 1, column 2: half a surrogate pair'
bad '"\0200"' 'line 1, column 2: malformed UTF-8'
bad '"\0300\0200"' 'line 1, column 2: malformed UTF-8'
bad '"\0355\0240\0200"' 'line 1, column 3: malformed UTF-8'
bad '"\0360\0200\0200\0200"' 'line 1, column 3: malformed UTF-8'
bad '"\0364\0220\0200\0200"' 'line 1, column 3: malformed UTF-8'
bad '"\0342\0202"' 'line 1, column 4: malformed UTF-8'
bad '\0357\0273\0277null' 'line 1, column 1: unexpected character'

# Depth, and a document that needs more memory than the first guess.
good '[[[1]]]' '[[[1]]]' -m -d 3
bad '[[[1]]]' 'line 1, column 3: nested too deeply' -m -d 2
deep=$(awk 'BEGIN { for (i = 0; i < 200; i++) printf "[" }')
bad "$deep[" 'line 1, column 201: nested too deeply'
long=$(awk 'BEGIN { printf "[0"; for (i = 0; i < 5000; i++) printf ",1"
                    printf "]" }')
good "$long" "$long" -m

# Usage.
actual=$("$json" -x </dev/null 2>&1 | head -n 1)
verdict 'usage' 'usage: json' "$(printf '%.11s' "$actual")"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
