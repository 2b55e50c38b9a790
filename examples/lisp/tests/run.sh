#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# usage: sh tests/run.sh [BINARY]

lisp=${1:-./lisp}
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

# gives PROGRAM OUTPUT
gives() {
    actual=$(printf '%s\n' "$1" | "$lisp" 2>&1)
    verdict "$1" "0 $2" "$? $actual"
}

# bad PROGRAM OUTPUT: something is wrong with the program
bad() {
    actual=$(printf '%s\n' "$1" | "$lisp" 2>&1)
    verdict "bad $1" "1 $2" "$? $actual"
}

# Whole programs; again with a collection at every chance.
for name in queens meta objects; do
    actual=$("$lisp" "$here/$name.lisp" 2>&1)
    verdict "$name" "$(cat "$here/$name.out")" "$actual"
done
for name in meta objects; do
    actual=$("$lisp" -s "$here/$name.lisp" 2>&1)
    verdict "$name, collecting" "$(cat "$here/$name.out")" "$actual"
done

# Values, and how they are shown.
gives '' ''
gives '42 -7 +5 1.5 -.5 1e3 #t #f "a\"b\\c\n"' '42
-7
5
1.5
-0.5
1000.0
#t
#f
"a\"b\\c\n"'
gives "'a '(1 (2 . 3) . 4) '() ''x" 'a
(1 (2 . 3) . 4)
()
(quote x)'
gives 'car (lambda (x) x)' '#builtin:car
#closure'
gives '; nothing
1 ; one
"; no comment"' '1
"; no comment"'
gives '9223372036854775807 -9223372036854775808 0.1' '9223372036854775807
-9223372036854775808
0.1'

# Arithmetic.
gives '(list (+) (*) (+ 1 2 3) (- 5) (- 5 1 1) (* 2 3 4))' '(0 1 6 -5 3 24)'
gives '(list (/ 6 3) (/ 7 2) (/ 6 -1) (/ 1.0 4))' '(2 3.5 -6 0.25)'
gives '(list (quotient -7 2) (remainder -7 2) (remainder 7 -1))' '(-3 -1 0)'
gives '(list (+ 1 0.5) (* 2 1.0) (- 1e400))' '(1.5 2.0 -inf)'
gives '(list (< 1 2 3) (< 1 3 2) (= 1 1.0) (>= 2 2 1) (> 1 1))' \
    '(#t #f #t #t #f)'
bad '(+ 9223372036854775807 1)' 'error: +: the result is too large'
bad '(- -9223372036854775808)' 'error: -: the result is too large'
bad '(* 4294967296 4294967296)' 'error: *: the result is too large'
bad '(quotient -9223372036854775808 -1)' \
    'error: quotient: the result is too large'
bad '(/ 1 0)' 'error: /: division by zero'
bad '(remainder 1 0)' 'error: remainder: division by zero'

# Special forms.
gives "(if #f 1) (if '() 1 2) (if #f 1 2)" '1
2'
gives "(cond (#f 1) ((+ 1 1)) (else 3)) (cond (#f 1)) (cond (else 1 2))" '2
2'
gives '(list (and) (and 1 2) (and #f x) (or) (or #f 2 x) (or #f #f))' \
    '(#t 2 #f #f 2 #f)'
gives '(define x 1) (set! x (+ x 1)) x' '2'
gives '(define (f a . rest) (list a rest)) (f 1) (f 1 2 3)' '(1 ())
(1 (2 3))'
gives '((lambda all all) 1 2)' '(1 2)'
gives '(define (f) (define x 1) (define x (+ x 1)) x) (f)' '2'
gives '(begin 1 2 3)' '3'
gives '(let loop ((i 0) (s 0)) (if (> i 4) s (loop (+ i 1) (+ s i))))' '10'
gives "(eval (list '+ 1 2))" '3'

# Lists and strings.
gives "(append '(1 2) '(3)) (reverse '(1 2 3)) (length '(a b))" '(1 2 3)
(3 2 1)
2'
gives "(map (lambda (x) (* x x)) '(1 2 3)) (assoc 'b '((a . 1) (b . 2)))" \
    '(1 4 9)
(b . 2)'
gives "(list (eq? 'a 'a) (eq? '(1) '(1)) (equal? '(1 (\"a\")) '(1 (\"a\"))))" \
    '(#t #f #t)'
gives '(string-append "ab" "" "c") (string-length "abc") (substring "abcd" 1 3)' \
    '"abc"
3
"bc"'
gives "(display \"a\") (write \"a\") (newline) (to-string '(1 \"a\"))" 'a"a"
"(1 a)"'

# Tail calls, deep recursion, garbage.
gives '(define (loop n) (cond ((= n 0) (quote done)) (else (loop (- n 1)))))
(loop 30000)' 'done'
gives '(define (even? n) (or (= n 0) (odd? (- n 1))))
(define (odd? n) (and (not (= n 0)) (even? (- n 1)))) (even? 10001)' '#f'
gives '(define (sum n) (if (= n 0) 0 (+ n (sum (- n 1))))) (sum 2000)' '2001000'
bad '(define (sum n) (if (= n 0) 0 (+ n (sum (- n 1))))) (sum 100000) 1' \
    'error: nested too deeply
1'
gives '(define before (collect))
(define (waste n) (if (> n 0) (begin (list n n n) (waste (- n 1)))))
(waste 5000) (< (- (collect) before) 50)' '#t'

# Errors, and catching them.
gives '(try (+ 1 2) car)' '3'
gives '(try (car 5) (lambda (message) message))' '"car: 5 is not a pair"'
gives '(define (f n) (if (= n 0) (error "end" "at" n) (+ 1 (f (- n 1)))))
(try (f 100) (lambda (message) message))' '"end \"at\" 0"'
gives '(try (try (error "a") (lambda (m) (error (string-append m "b"))))
  (lambda (m) (string-append m "c")))' '"abc"'
bad 'x' 'error: unbound variable x'
bad '(set! y 1)' 'error: unbound variable y'
bad '(1 2)' 'error: 1 is not a function'
bad '((lambda (x) x))' 'error: too few operands'
bad '((lambda (x) x) 1 2)' 'error: too many operands'
bad '(car)' 'error: car: wrong number of operands'
bad "(+ 1 'a)" 'error: +: a is not a number'
bad '(quotient 1.5 1)' 'error: quotient: 1.5 is not an integer'
bad '(string-append "a" 1)' 'error: string-append: 1 is not a string'
bad '(substring "abc" 2 4)' 'error: substring: no such part'
gives "(apply + '()) (apply + 1 2 '(3 4))" '0
10'
bad '(apply + 1)' 'error: apply: not a list'
bad '(if)' 'error: malformed if'
bad '(if 1 2 3 4)' 'error: malformed if'
bad '(let ((x)) x)' 'error: malformed let'
bad '(lambda (1) 1)' 'error: malformed parameters'
bad '(lambda (x))' 'error: malformed body'
bad '(define 1 2)' 'error: malformed define'
bad '(+ 1 . 2)' 'error: malformed call'
bad '(car 1) 2' 'error: car: 1 is not a pair
2'

# What cannot be read.
bad '1
(+ 1' '1
error: line 3: unexpected end'
bad ') 1' 'error: line 1: unexpected )'
bad '"abc' 'error: line 2: string without an end'
bad '"\q"' 'error: line 1: malformed escape'
bad '(. 1)' 'error: line 1: nothing before .'
bad '(1 . 2 3)' 'error: line 1: expected )'
bad '12ab' 'error: line 1: malformed number 12ab'
bad '0x10' 'error: line 1: malformed number 0x10'
bad '9223372036854775808' \
    'error: line 1: integer too large: 9223372036854775808'
bad "$(awk 'BEGIN { for (i = 0; i < 5000; i++) printf "(" }')" \
    'error: nested too deeply'

# Files.
actual=$("$lisp" "$here/absent.lisp" 2>&1)
verdict 'no such file' "2 lisp: cannot read $here/absent.lisp" "$? $actual"
actual=$("$lisp" -x 2>&1 | head -n 1)
verdict 'usage' 'usage: lisp' "$(printf '%.11s' "$actual")"
actual=$(echo '(length (queens 4))' | "$lisp" "$here/queens.lisp" -)
verdict 'two files' "0 $(cat "$here/queens.out")
2" "$? $actual"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
