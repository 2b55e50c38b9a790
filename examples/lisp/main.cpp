// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lisp: the builtin functions, and the command line.

#include "lisp.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace {

using lisp::Arguments;
using lisp::Builtin;
using lisp::Error;
using lisp::Interpreter;
using lisp::Kind;
using lisp::Value;

// Numbers. Integers have 64 bits and do not overflow silently; with a real, all
// becomes real.

template <char operation>
Value combine(const Arguments &arguments, Value a, Value b)
{
    bool real = a.is(Kind::Real) || b.is(Kind::Real);
    std::int64_t result = 0;
    bool overflow = false;
    switch (operation) {
    case '+':
        if (real)
            return Value(a.number() + b.number());
        overflow = __builtin_add_overflow(a.integer(), b.integer(), &result);
        break;
    case '-':
        if (real)
            return Value(a.number() - b.number());
        overflow = __builtin_sub_overflow(a.integer(), b.integer(), &result);
        break;
    case '*':
        if (real)
            return Value(a.number() * b.number());
        overflow = __builtin_mul_overflow(a.integer(), b.integer(), &result);
        break;
    }
    if (overflow)
        arguments.fail("the result is too large");
    return Value(result);
}

template <char operation>
Value arithmetic(Interpreter &, const Arguments &arguments)
{
    Value result(std::int64_t{operation == '*'});
    std::size_t i = 0;
    if (arguments.count > 1)
        result = arguments.number(i++); // so that (- a b) is a - b
    for (; i < arguments.count; i++)
        result = combine<operation>(arguments, result, arguments.number(i));
    return result;
}

// The smallest integer has no counterpart: divided by -1 it is too large.
Value divide_integers(const Arguments &arguments, std::int64_t a,
                      std::int64_t b)
{
    return b == -1 ? combine<'-'>(arguments, Value(std::int64_t{0}), Value(a))
                   : Value(a / b);
}

std::int64_t modulus(std::int64_t a, std::int64_t b)
{
    return b == -1 ? 0 : a % b;
}

void check_divisor(const Arguments &arguments)
{
    if (arguments.number(1).number() == 0)
        arguments.fail("division by zero");
}

// Exact if it can be.
Value divide(Interpreter &, const Arguments &arguments)
{
    Value a = arguments.number(0);
    Value b = arguments.number(1);
    check_divisor(arguments);
    if (a.is(Kind::Integer) && b.is(Kind::Integer) &&
        modulus(a.integer(), b.integer()) == 0)
        return divide_integers(arguments, a.integer(), b.integer());
    return Value(a.number() / b.number());
}

Value quotient(Interpreter &, const Arguments &arguments)
{
    check_divisor(arguments);
    return divide_integers(arguments, arguments.integer(0),
                           arguments.integer(1));
}

Value remainder(Interpreter &, const Arguments &arguments)
{
    check_divisor(arguments);
    return Value(modulus(arguments.integer(0), arguments.integer(1)));
}

template <class Relation>
Value compare(Interpreter &, const Arguments &arguments)
{
    bool holds = true;
    for (std::size_t i = 0; i + 1 < arguments.count; i++) {
        Value a = arguments.number(i);
        Value b = arguments.number(i + 1);
        holds &= a.is(Kind::Integer) && b.is(Kind::Integer)
                     ? Relation()(a.integer(), b.integer())
                     : Relation()(a.number(), b.number());
    }
    return Value(holds);
}

// Pairs, and what kind a value is of.

Value cons(Interpreter &in, const Arguments &arguments)
{
    return in.cons(arguments[0], arguments[1]);
}

Value car(Interpreter &, const Arguments &arguments)
{
    return arguments.object<lisp::Pair>(0).head;
}

Value cdr(Interpreter &, const Arguments &arguments)
{
    return arguments.object<lisp::Pair>(0).tail;
}

Value list(Interpreter &in, const Arguments &arguments)
{
    return in.list_from(in.height() - arguments.count);
}

template <Kind kind, Kind other = kind>
Value is(Interpreter &, const Arguments &arguments)
{
    return Value(arguments[0].is(kind) || arguments[0].is(other));
}

Value is_same(Interpreter &, const Arguments &arguments)
{
    return Value(arguments[0].is_same(arguments[1]));
}

Value is_equal(Interpreter &in, const Arguments &arguments)
{
    return Value(in.equal(arguments[0], arguments[1]));
}

Value is_false(Interpreter &, const Arguments &arguments)
{
    return Value(!arguments[0].is_true());
}

// Strings.

Value string_append(Interpreter &in, const Arguments &arguments)
{
    std::string text;
    for (std::size_t i = 0; i < arguments.count; i++)
        text += arguments.object<lisp::String>(i).text;
    return in.string(std::move(text));
}

Value string_length(Interpreter &, const Arguments &arguments)
{
    const std::string &text = arguments.object<lisp::String>(0).text;
    return Value(static_cast<std::int64_t>(text.size()));
}

Value substring(Interpreter &in, const Arguments &arguments)
{
    const std::string &text = arguments.object<lisp::String>(0).text;
    std::int64_t start = arguments.integer(1);
    std::int64_t end = arguments.integer(2);
    if (start < 0 || end < start ||
        static_cast<std::uint64_t>(end) > text.size())
        arguments.fail("no such part");
    return in.string(text.substr(static_cast<std::size_t>(start),
                                 static_cast<std::size_t>(end - start)));
}

Value to_string(Interpreter &in, const Arguments &arguments)
{
    return in.string(in.show(arguments[0], false));
}

// Output, errors and the interpreter itself.

template <bool quoted>
Value print(Interpreter &in, const Arguments &arguments)
{
    std::string text = in.show(arguments[0], quoted);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return Value();
}

Value newline(Interpreter &, const Arguments &)
{
    std::putchar('\n');
    return Value();
}

Value error(Interpreter &in, const Arguments &arguments)
{
    std::string message = in.show(arguments[0], false);
    for (std::size_t i = 1; i < arguments.count; i++)
        message += ' ' + in.show(arguments[i], true);
    throw Error(message);
}

Value apply(Interpreter &in, const Arguments &arguments)
{
    lisp::Frame frame(in);
    std::size_t last = arguments.count - 1;
    for (std::size_t i = 0; i < last; i++)
        in.push(arguments[i]);
    Value rest = arguments[last];
    for (; rest.is(Kind::Pair); rest = rest.as<lisp::Pair>()->tail)
        in.push(rest.as<lisp::Pair>()->head);
    if (!rest.is(Kind::Nil))
        arguments.fail("not a list");
    return in.apply(frame.base());
}

Value evaluate(Interpreter &in, const Arguments &arguments)
{
    return in.eval(arguments[0]);
}

Value collect(Interpreter &in, const Arguments &)
{
    in.collect();
    return Value(static_cast<std::int64_t>(in.objects()));
}

const struct {
    const char *name;
    std::size_t min;
    std::size_t max;
    lisp::Function function;
} builtins[] = {
    {"+", 0, Builtin::any, arithmetic<'+'>},
    {"-", 1, Builtin::any, arithmetic<'-'>},
    {"*", 0, Builtin::any, arithmetic<'*'>},
    {"/", 2, 2, divide},
    {"quotient", 2, 2, quotient},
    {"remainder", 2, 2, remainder},
    {"=", 1, Builtin::any, compare<std::equal_to<>>},
    {"<", 1, Builtin::any, compare<std::less<>>},
    {">", 1, Builtin::any, compare<std::greater<>>},
    {"<=", 1, Builtin::any, compare<std::less_equal<>>},
    {">=", 1, Builtin::any, compare<std::greater_equal<>>},
    {"cons", 2, 2, cons},
    {"car", 1, 1, car},
    {"cdr", 1, 1, cdr},
    {"list", 0, Builtin::any, list},
    {"null?", 1, 1, is<Kind::Nil>},
    {"pair?", 1, 1, is<Kind::Pair>},
    {"number?", 1, 1, is<Kind::Integer, Kind::Real>},
    {"integer?", 1, 1, is<Kind::Integer>},
    {"symbol?", 1, 1, is<Kind::Symbol>},
    {"string?", 1, 1, is<Kind::String>},
    {"boolean?", 1, 1, is<Kind::Boolean>},
    {"procedure?", 1, 1, is<Kind::Builtin, Kind::Closure>},
    {"eq?", 2, 2, is_same},
    {"equal?", 2, 2, is_equal},
    {"not", 1, 1, is_false},
    {"string-append", 0, Builtin::any, string_append},
    {"string-length", 1, 1, string_length},
    {"substring", 3, 3, substring},
    {"to-string", 1, 1, to_string},
    {"display", 1, 1, print<false>},
    {"write", 1, 1, print<true>},
    {"newline", 0, 0, newline},
    {"error", 1, Builtin::any, error},
    {"apply", 2, Builtin::any, apply},
    {"eval", 1, 1, evaluate},
    {"collect", 0, 0, collect},
};

const char prelude[] = R"(
(define (fold f start items)
  (if (null? items)
      start
      (fold f (f start (car items)) (cdr items))))
(define (reverse items)
  (fold (lambda (done item) (cons item done)) '() items))
(define (append a b)
  (fold (lambda (done item) (cons item done)) b (reverse a)))
(define (length items)
  (fold (lambda (count item) (+ count 1)) 0 items))
(define (map f items)
  (reverse (fold (lambda (done item) (cons (f item) done)) '() items)))
(define (filter keep? items)
  (reverse (fold (lambda (done item) (if (keep? item) (cons item done) done))
                 '() items)))
(define (assoc key pairs)
  (cond ((null? pairs) #f)
        ((equal? (car (car pairs)) key) (car pairs))
        (else (assoc key (cdr pairs)))))
)";

// Evaluates all of a text and prints the values. An error ends only the
// expression that it happens in, unless it happens in reading.
bool run(Interpreter &in, std::string_view text)
{
    lisp::Reader reader(in, text);
    bool good = true;
    for (;;) {
        bool reading = true;
        try {
            Value value;
            if (!reader.next(value))
                return good;
            reading = false;
            value = in.eval(value);
            if (!value.is(Kind::Nothing))
                std::printf("%s\n", in.show(value, true).c_str());
        } catch (const Error &e) {
            std::fflush(stdout);
            std::fprintf(stderr, "error: %s\n", e.what());
            good = false;
            if (reading)
                return false;
        }
    }
}

bool read_file(const char *name, std::string &text)
{
    bool standard = std::strcmp(name, "-") == 0;
    std::FILE *file = standard ? stdin : std::fopen(name, "rb");
    if (file == nullptr)
        return false;
    char buffer[4096];
    std::size_t count = 0;
    while ((count = std::fread(buffer, 1, sizeof buffer, file)) > 0)
        text.append(buffer, count);
    bool good = std::ferror(file) == 0;
    if (!standard)
        std::fclose(file);
    return good;
}

} // namespace

int main(int argc, char **argv)
{
    std::vector<const char *> files(argv + (argc > 0), argv + argc);
    Interpreter in;
    bool good = true;

    for (const auto &b : builtins)
        in.define(b.name, b.min, b.max, b.function);
    run(in, prelude);
    if (!files.empty() && std::strcmp(files.front(), "-s") == 0) {
        in.collect_always();
        files.erase(files.begin());
    }
    if (files.empty())
        files.push_back("-");
    for (const char *name : files) {
        std::string text;
        if (name[0] == '-' && name[1] != '\0') {
            std::fputs("usage: lisp [-s] [FILE]...\n"
                       "  -s  collect garbage at every chance, as a test\n",
                       stderr);
            return 2;
        }
        if (!read_file(name, text)) {
            std::fprintf(stderr, "lisp: cannot read %s\n", name);
            return 2;
        }
        good &= run(in, text);
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        std::fputs("lisp: cannot write\n", stderr);
        return 2;
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
