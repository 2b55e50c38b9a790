// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A small Lisp, in the manner of Scheme: lexical scope, closures, calls in tail
// position that take no room, errors that can be caught, and a collector that
// marks and sweeps.

#ifndef LISP_HPP
#define LISP_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lisp {

class Interpreter;

struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class Kind : unsigned char {
    Unbound, // not a value: what a symbol means that was never defined
    Nothing, // the value of what has no value
    Nil,
    Boolean,
    Integer,
    Real,
    Symbol, // from here on, objects
    String,
    Pair,
    Builtin,
    Closure,
    Environment // not to be seen by programs
};

struct Object {
    virtual ~Object() = default;
    virtual void trace(Interpreter &) const {}

    bool marked = false;
};

class Value {
public:
    explicit Value(Kind kind = Kind::Nothing) : kind_(kind), integer_(0) {}
    explicit Value(bool boolean) : kind_(Kind::Boolean), boolean_(boolean) {}
    explicit Value(std::int64_t i) : kind_(Kind::Integer), integer_(i) {}
    explicit Value(double real) : kind_(Kind::Real), real_(real) {}
    template <class T>
    explicit Value(T *object) : kind_(T::kind), object_(object)
    {
    }

    Kind kind() const { return kind_; }
    bool is(Kind kind) const { return kind_ == kind; }
    bool is_number() const { return is(Kind::Integer) || is(Kind::Real); }
    bool is_true() const { return !is(Kind::Boolean) || boolean_; }
    bool is_same(Value other) const;

    // Each of these is for values of its kind only, but number, which turns an
    // integer into a real.
    std::int64_t integer() const { return integer_; }
    double number() const
    {
        return is(Kind::Integer) ? static_cast<double>(integer_) : real_;
    }
    Object *object() const { return object_; }
    template <class T> T *as() const { return static_cast<T *>(object_); }

private:
    Kind kind_;
    union {
        bool boolean_;
        std::int64_t integer_;
        double real_;
        Object *object_;
    };
};

enum class Form : unsigned char {
    None, Quote, If, Cond, And, Or, Define, Set, Lambda, Let, Begin, Try
};

// Symbols are never collected, and hold the global variables.
struct Symbol : Object {
    static constexpr Kind kind = Kind::Symbol;

    explicit Symbol(std::string_view text) : name(text) {}

    std::string name;
    Value value{Kind::Unbound};
    Form form = Form::None;
};

struct String : Object {
    static constexpr Kind kind = Kind::String;
    static constexpr const char *noun = "a string";

    explicit String(std::string value) : text(std::move(value)) {}

    std::string text;
};

struct Pair : Object {
    static constexpr Kind kind = Kind::Pair;
    static constexpr const char *noun = "a pair";

    Pair(Value a, Value b) : head(a), tail(b) {}
    void trace(Interpreter &in) const override;

    Value head;
    Value tail;
};

// The operands of a builtin function. They lie on the interpreter's stack,
// where the collector sees them.
struct Arguments {
    Value operator[](std::size_t i) const;

    // These throw an Error if the operand is of another kind.
    Value number(std::size_t i) const;
    std::int64_t integer(std::size_t i) const;
    template <class T> const T &object(std::size_t i) const
    {
        return *expect(i, T::kind, T::noun).template as<T>();
    }

    Value expect(std::size_t i, Kind kind, const char *noun) const;
    [[noreturn]] void fail(const std::string &message) const;

    Interpreter &in;
    const char *name;
    std::size_t first;
    std::size_t count;
};

using Function = Value (*)(Interpreter &in, const Arguments &arguments);

struct Builtin : Object {
    static constexpr Kind kind = Kind::Builtin;
    static constexpr std::size_t any = SIZE_MAX;

    Builtin(const char *text, std::size_t least, std::size_t most, Function f)
        : name(text), min(least), max(most), function(f)
    {
    }

    const char *name;
    std::size_t min;
    std::size_t max;
    Function function;
};

// The variables of one call or let; without a parent come the global ones.
struct Environment : Object {
    static constexpr Kind kind = Kind::Environment;

    explicit Environment(Environment *outer) : parent(outer) {}
    void trace(Interpreter &in) const override;

    std::vector<std::pair<Symbol *, Value>> variables;
    Environment *parent;
};

struct Closure : Object {
    static constexpr Kind kind = Kind::Closure;

    Closure(Value formals, Value code, Environment *scope)
        : parameters(formals), body(code), environment(scope)
    {
    }
    void trace(Interpreter &in) const override;

    Value parameters;
    Value body;
    Environment *environment;
};

class Interpreter {
public:
    Interpreter();

    void define(const char *name, std::size_t min, std::size_t max,
                Function function);
    Value eval(Value expression, Environment *environment = nullptr);

    // Calls the function at this place of the stack with what is above it.
    Value apply(std::size_t callee);

    Symbol *intern(std::string_view name);
    Value string(std::string text);
    Value cons(Value head, Value tail);

    // Makes a list of what is on the stack from a place on, and takes it away.
    Value list_from(std::size_t first, Value tail = Value(Kind::Nil));

    // As written in a program or, if not quoted, strings without their quotes.
    std::string show(Value value, bool quoted);
    bool equal(Value a, Value b);

    void push(Value value) { stack_.push_back(value); }
    std::size_t height() const { return stack_.size(); }
    Value at(std::size_t place) const { return stack_[place]; }

    void mark(Value value);
    void collect();
    std::size_t objects() const { return objects_.size(); }
    void collect_always() { always_ = true; }

private:
    friend class Frame;
    enum class Next { Done, Evaluate };

    template <class T, class... Parts> T *make(Parts &&...parts);
    void show_to(std::string &out, Value value, bool quoted);
    Value &find(Symbol *symbol, Environment *environment) const;
    void define_in(Environment *environment, Symbol *symbol, Value value);
    Environment *bind(Closure *closure, std::size_t first);
    Value sequence(Value body, Environment *environment);
    Value lambda(Value parameters, Value body, Environment *environment);

    // Each of these turns an expression into its value, or into an expression,
    // with its environment, that has the same value.
    Next call_step(Value &expression, Environment *&environment);
    Next form_step(Value &expression, Environment *&environment);
    Next logic_step(Form form, Value operands, Value &expression,
                    Environment *environment);
    Next let_step(Value operands, Value &expression,
                  Environment *&environment);

    std::vector<std::unique_ptr<Object>> objects_;
    std::unordered_map<std::string, std::unique_ptr<Symbol>> symbols_;
    std::vector<Value> stack_;
    std::vector<Object *> pending_; // marked, but not traced yet
    std::size_t threshold_ = 4096;
    std::size_t depth_ = 0;
    bool always_ = false;
};

// What is pushed in the life of a frame goes away with it.
class Frame {
public:
    explicit Frame(Interpreter &in);
    ~Frame();
    Frame(const Frame &) = delete;
    Frame &operator=(const Frame &) = delete;

    void clear();
    std::size_t base() const { return base_; }

private:
    Interpreter &in_;
    std::size_t base_;
};

class Reader {
public:
    Reader(Interpreter &in, std::string_view text) : in_(in), rest_(text) {}

    // The next expression; false at the end of the text.
    bool next(Value &value);

private:
    [[noreturn]] void fail(const std::string &message) const;
    int peek() const;
    char take();
    int skip_blanks();
    Value read();
    Value read_list();
    Value read_string();
    Value read_word();

    Interpreter &in_;
    std::string_view rest_;
    std::size_t line_ = 1;
};

} // namespace lisp

#endif
