// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lisp.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace lisp {

namespace {

constexpr std::size_t max_depth = 2500;

// Walks over the operands of a special form.
class Operands {
public:
    Operands(const char *form, Value list) : form_(form), list_(list) {}

    Value next()
    {
        if (!list_.is(Kind::Pair))
            fail();
        Value head = list_.as<Pair>()->head;
        list_ = list_.as<Pair>()->tail;
        return head;
    }

    Symbol *next_symbol()
    {
        Value value = next();
        if (!value.is(Kind::Symbol))
            fail();
        return value.as<Symbol>();
    }

    Value last()
    {
        Value value = next();
        if (more())
            fail();
        return value;
    }

    bool more() const
    {
        if (!list_.is(Kind::Pair) && !list_.is(Kind::Nil))
            fail();
        return list_.is(Kind::Pair);
    }

    Value rest() const { return list_; }

    [[noreturn]] void fail() const
    {
        throw Error(std::string("malformed ") + form_);
    }

private:
    const char *form_;
    Value list_;
};

std::string show_real(double real)
{
    char text[40];
    for (int precision = 15; precision <= 17; precision++) {
        std::snprintf(text, sizeof text, "%.*g", precision, real);
        if (std::strtod(text, nullptr) == real)
            break;
    }
    std::string shown = text;
    if (shown.find_first_not_of("-0123456789") == std::string::npos)
        shown += ".0";
    return shown;
}

void show_string(std::string &out, const std::string &text)
{
    out += '"';
    for (char c : text) {
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else {
            if (c == '"' || c == '\\')
                out += '\\';
            out += c;
        }
    }
    out += '"';
}

bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

} // namespace

bool Value::is_same(Value other) const
{
    if (kind_ != other.kind_)
        return false;
    switch (kind_) {
    case Kind::Unbound:
    case Kind::Nothing:
    case Kind::Nil:
        return true;
    case Kind::Boolean:
        return boolean_ == other.boolean_;
    case Kind::Integer:
        return integer_ == other.integer_;
    case Kind::Real:
        return real_ == other.real_;
    default:
        return object_ == other.object_;
    }
}

// Operands of builtin functions.

Value Arguments::operator[](std::size_t i) const
{
    return in.at(first + i);
}

void Arguments::fail(const std::string &message) const
{
    throw Error(std::string(name) + ": " + message);
}

Value Arguments::expect(std::size_t i, Kind kind, const char *noun) const
{
    Value value = (*this)[i];
    if (!value.is(kind))
        fail(in.show(value, true) + " is not " + noun);
    return value;
}

Value Arguments::number(std::size_t i) const
{
    Value value = (*this)[i];
    return value.is_number() ? value : expect(i, Kind::Real, "a number");
}

std::int64_t Arguments::integer(std::size_t i) const
{
    return expect(i, Kind::Integer, "an integer").integer();
}

// The collector. It sees the stack and the symbols; whoever allocates has to
// have what it still needs in one of these places.

template <class T, class... Parts> T *Interpreter::make(Parts &&...parts)
{
    if (always_ || objects_.size() >= threshold_)
        collect();
    auto owned = std::make_unique<T>(std::forward<Parts>(parts)...);
    T *object = owned.get();
    objects_.push_back(std::move(owned));
    return object;
}

void Interpreter::mark(Value value)
{
    if (value.kind() <= Kind::Symbol || value.object()->marked)
        return;
    value.object()->marked = true;
    pending_.push_back(value.object());
}

void Pair::trace(Interpreter &in) const
{
    in.mark(head);
    in.mark(tail);
}

void Closure::trace(Interpreter &in) const
{
    in.mark(parameters);
    in.mark(body);
    if (environment != nullptr)
        in.mark(Value(environment));
}

void Environment::trace(Interpreter &in) const
{
    for (const auto &variable : variables)
        in.mark(variable.second);
    if (parent != nullptr)
        in.mark(Value(parent));
}

void Interpreter::collect()
{
    for (const auto &entry : symbols_)
        mark(entry.second->value);
    for (Value value : stack_)
        mark(value);
    while (!pending_.empty()) {
        Object *object = pending_.back();
        pending_.pop_back();
        object->trace(*this);
    }
    auto dead = std::remove_if(
        objects_.begin(), objects_.end(),
        [](const std::unique_ptr<Object> &o) { return !o->marked; });
    objects_.erase(dead, objects_.end());
    for (const auto &object : objects_)
        object->marked = false;
    threshold_ = std::max<std::size_t>(4096, 2 * objects_.size());
}

Frame::Frame(Interpreter &in) : in_(in), base_(in.stack_.size())
{
    if (in.depth_ == max_depth)
        throw Error("nested too deeply");
    in.depth_++;
}

Frame::~Frame()
{
    clear();
    in_.depth_--;
}

void Frame::clear()
{
    in_.stack_.erase(in_.stack_.begin() + static_cast<std::ptrdiff_t>(base_),
                     in_.stack_.end());
}

Symbol *Interpreter::intern(std::string_view name)
{
    std::unique_ptr<Symbol> &symbol = symbols_[std::string(name)];
    if (symbol == nullptr)
        symbol = std::make_unique<Symbol>(name);
    return symbol.get();
}

Value Interpreter::string(std::string text)
{
    return Value(make<String>(std::move(text)));
}

Value Interpreter::cons(Value head, Value tail)
{
    push(head);
    push(tail);
    Value pair(make<Pair>(head, tail));
    stack_.pop_back();
    stack_.pop_back();
    return pair;
}

Value Interpreter::list_from(std::size_t first, Value tail)
{
    while (stack_.size() > first) {
        tail = cons(stack_.back(), tail);
        stack_.pop_back();
    }
    return tail;
}

// Showing and comparing.

std::string Interpreter::show(Value value, bool quoted)
{
    std::string out;
    show_to(out, value, quoted);
    return out;
}

void Interpreter::show_to(std::string &out, Value value, bool quoted)
{
    Frame frame(*this);
    switch (value.kind()) {
    case Kind::Unbound:
    case Kind::Nothing:
    case Kind::Environment:
        out += "#nothing";
        break;
    case Kind::Nil:
        out += "()";
        break;
    case Kind::Boolean:
        out += value.is_true() ? "#t" : "#f";
        break;
    case Kind::Integer:
        out += std::to_string(value.integer());
        break;
    case Kind::Real:
        out += show_real(value.number());
        break;
    case Kind::Symbol:
        out += value.as<Symbol>()->name;
        break;
    case Kind::String:
        if (quoted)
            show_string(out, value.as<String>()->text);
        else
            out += value.as<String>()->text;
        break;
    case Kind::Builtin:
        out += std::string("#builtin:") + value.as<Builtin>()->name;
        break;
    case Kind::Closure:
        out += "#closure";
        break;
    case Kind::Pair:
        out += '(';
        show_to(out, value.as<Pair>()->head, quoted);
        for (value = value.as<Pair>()->tail; value.is(Kind::Pair);
             value = value.as<Pair>()->tail) {
            out += ' ';
            show_to(out, value.as<Pair>()->head, quoted);
        }
        if (!value.is(Kind::Nil)) {
            out += " . ";
            show_to(out, value, quoted);
        }
        out += ')';
        break;
    }
}

bool Interpreter::equal(Value a, Value b)
{
    Frame frame(*this);
    for (; a.is(Kind::Pair) && b.is(Kind::Pair);
         a = a.as<Pair>()->tail, b = b.as<Pair>()->tail)
        if (!equal(a.as<Pair>()->head, b.as<Pair>()->head))
            return false;
    if (a.is(Kind::String) && b.is(Kind::String))
        return a.as<String>()->text == b.as<String>()->text;
    return a.is_same(b);
}

// Evaluation.

Interpreter::Interpreter()
{
    static const struct {
        const char *name;
        Form form;
    } forms[] = {
        {"quote", Form::Quote}, {"if", Form::If},
        {"cond", Form::Cond},   {"and", Form::And},
        {"or", Form::Or},       {"define", Form::Define},
        {"set!", Form::Set},    {"lambda", Form::Lambda},
        {"let", Form::Let},     {"begin", Form::Begin},
        {"try", Form::Try},
    };
    for (const auto &entry : forms)
        intern(entry.name)->form = entry.form;
    intern("else")->value = Value(true);
}

void Interpreter::define(const char *name, std::size_t min, std::size_t max,
                         Function function)
{
    intern(name)->value = Value(make<Builtin>(name, min, max, function));
}

// Where the value of a variable is kept.
Value &Interpreter::find(Symbol *symbol, Environment *environment) const
{
    for (Environment *e = environment; e != nullptr; e = e->parent)
        for (auto &variable : e->variables)
            if (variable.first == symbol)
                return variable.second;
    if (symbol->value.is(Kind::Unbound))
        throw Error("unbound variable " + symbol->name);
    return symbol->value;
}

void Interpreter::define_in(Environment *environment, Symbol *symbol,
                            Value value)
{
    if (environment == nullptr) {
        symbol->value = value;
        return;
    }
    for (auto &variable : environment->variables) {
        if (variable.first == symbol) {
            variable.second = value;
            return;
        }
    }
    environment->variables.emplace_back(symbol, value);
}

Value Interpreter::eval(Value expression, Environment *environment)
{
    Frame frame(*this);
    Next next;
    do {
        if (expression.is(Kind::Symbol))
            return find(expression.as<Symbol>(), environment);
        if (!expression.is(Kind::Pair))
            return expression;
        frame.clear();
        push(expression);
        if (environment != nullptr)
            push(Value(environment));
        Value head = expression.as<Pair>()->head;
        next = head.is(Kind::Symbol) && head.as<Symbol>()->form != Form::None
                   ? form_step(expression, environment)
                   : call_step(expression, environment);
    } while (next == Next::Evaluate);
    return expression;
}

// Evaluates all of a body but its last expression, which it returns. The body
// and the environment are on the stack, or reached from there.
Value Interpreter::sequence(Value body, Environment *environment)
{
    Operands expressions("body", body);
    for (;;) {
        Value expression = expressions.next();
        if (!expressions.more())
            return expression;
        eval(expression, environment);
    }
}

// Makes the environment of a call, whose operands are the top of the stack, and
// leaves it there.
Environment *Interpreter::bind(Closure *closure, std::size_t first)
{
    auto *environment = make<Environment>(closure->environment);
    Value parameters = closure->parameters;
    std::size_t operand = first;
    while (parameters.is(Kind::Pair)) {
        auto *pair = parameters.as<Pair>();
        if (operand == stack_.size())
            throw Error("too few operands");
        define_in(environment, pair->head.as<Symbol>(), stack_[operand++]);
        parameters = pair->tail;
    }
    push(Value(environment));
    if (parameters.is(Kind::Symbol)) {
        std::size_t end = stack_.size() - 1;
        std::size_t copies = stack_.size();
        for (; operand < end; operand++)
            push(stack_[operand]);
        define_in(environment, parameters.as<Symbol>(), list_from(copies));
    } else if (operand + 1 < stack_.size()) {
        throw Error("too many operands");
    }
    return environment;
}

Value Interpreter::apply(std::size_t callee)
{
    Value function = stack_[callee];
    if (function.is(Kind::Builtin)) {
        const Builtin &builtin = *function.as<Builtin>();
        std::size_t first = callee + 1;
        Arguments arguments{*this, builtin.name, first, height() - first};
        if (arguments.count < builtin.min || arguments.count > builtin.max)
            arguments.fail("wrong number of operands");
        return builtin.function(*this, arguments);
    }
    if (!function.is(Kind::Closure))
        throw Error(show(function, true) + " is not a function");
    auto *closure = function.as<Closure>();
    Environment *environment = bind(closure, callee + 1);
    return eval(sequence(closure->body, environment), environment);
}

Interpreter::Next Interpreter::call_step(Value &expression,
                                         Environment *&environment)
{
    std::size_t callee = stack_.size();
    Operands parts("call", expression);
    while (parts.more())
        push(eval(parts.next(), environment));
    Value function = stack_[callee];
    if (!function.is(Kind::Closure)) {
        expression = apply(callee);
        return Next::Done;
    }
    auto *closure = function.as<Closure>();
    environment = bind(closure, callee + 1);
    expression = sequence(closure->body, environment);
    return Next::Evaluate;
}

Value Interpreter::lambda(Value parameters, Value body,
                          Environment *environment)
{
    Value rest = parameters;
    for (; rest.is(Kind::Pair); rest = rest.as<Pair>()->tail)
        if (!rest.as<Pair>()->head.is(Kind::Symbol))
            throw Error("malformed parameters");
    if (!rest.is(Kind::Nil) && !rest.is(Kind::Symbol))
        throw Error("malformed parameters");
    if (!body.is(Kind::Pair))
        throw Error("malformed body");
    return Value(make<Closure>(parameters, body, environment));
}

Interpreter::Next Interpreter::form_step(Value &expression,
                                         Environment *&environment)
{
    Symbol *word = expression.as<Pair>()->head.as<Symbol>();
    Operands operands(word->name.c_str(), expression.as<Pair>()->tail);

    switch (word->form) {
    case Form::Quote:
        expression = operands.last();
        return Next::Done;
    case Form::If: {
        Value condition = operands.next();
        Value yes = operands.next();
        Value no = operands.more() ? operands.last() : Value();
        expression = eval(condition, environment).is_true() ? yes : no;
        return Next::Evaluate;
    }
    case Form::Define: {
        Value target = operands.next();
        if (target.is(Kind::Pair)) {
            Operands head(word->name.c_str(), target);
            Symbol *name = head.next_symbol();
            define_in(environment, name,
                      lambda(head.rest(), operands.rest(), environment));
        } else if (target.is(Kind::Symbol)) {
            Value value = eval(operands.last(), environment);
            define_in(environment, target.as<Symbol>(), value);
        } else {
            operands.fail();
        }
        expression = Value();
        return Next::Done;
    }
    case Form::Set: {
        Symbol *name = operands.next_symbol();
        Value value = eval(operands.last(), environment);
        find(name, environment) = value;
        expression = Value();
        return Next::Done;
    }
    case Form::Lambda: {
        Value parameters = operands.next();
        expression = lambda(parameters, operands.rest(), environment);
        return Next::Done;
    }
    case Form::Begin:
        expression = sequence(operands.rest(), environment);
        return Next::Evaluate;
    case Form::Try: {
        Value body = operands.next();
        Value handler = operands.last();
        std::size_t callee = stack_.size();
        std::string message;
        try {
            expression = eval(body, environment);
            return Next::Done;
        } catch (const Error &error) {
            message = error.what();
        }
        push(eval(handler, environment));
        push(string(message));
        expression = apply(callee);
        return Next::Done;
    }
    case Form::Let:
        return let_step(operands.rest(), expression, environment);
    default:
        return logic_step(word->form, operands.rest(), expression,
                          environment);
    }
}

Interpreter::Next Interpreter::logic_step(Form form, Value list,
                                          Value &expression,
                                          Environment *environment)
{
    Operands operands("condition", list);

    expression = form == Form::Cond ? Value() : Value(form == Form::And);
    while (operands.more()) {
        Value operand = operands.next();
        if (form == Form::Cond) {
            Operands clause("condition", operand);
            Value condition = eval(clause.next(), environment);
            if (!condition.is_true())
                continue;
            expression = condition;
            if (!clause.more())
                return Next::Done;
            expression = sequence(clause.rest(), environment);
            return Next::Evaluate;
        }
        expression = operand;
        if (!operands.more())
            return Next::Evaluate;
        expression = eval(operand, environment);
        if (expression.is_true() == (form == Form::Or))
            return Next::Done;
    }
    return Next::Done;
}

// (let ((variable value) ...) body ...) calls a function of the variables with
// the values. (let name ...) gives it a name as well, for loops.
Interpreter::Next Interpreter::let_step(Value list, Value &expression,
                                        Environment *&environment)
{
    Operands operands("let", list);
    Environment *scope = environment;
    Value name;
    Value bindings = operands.next();
    if (bindings.is(Kind::Symbol)) {
        name = bindings;
        bindings = operands.next();
        scope = make<Environment>(environment);
        push(Value(scope));
    }

    std::size_t names = stack_.size();
    for (Operands b("let", bindings); b.more();)
        push(Value(Operands("let", b.next()).next_symbol()));
    push(list_from(names));
    push(lambda(stack_.back(), operands.rest(), scope));
    auto *closure = stack_.back().as<Closure>();
    if (name.is(Kind::Symbol))
        define_in(scope, name.as<Symbol>(), stack_.back());

    std::size_t first = stack_.size();
    for (Operands b("let", bindings); b.more();) {
        Operands binding("let", b.next());
        binding.next();
        push(eval(binding.last(), environment));
    }
    environment = bind(closure, first);
    expression = sequence(closure->body, environment);
    return Next::Evaluate;
}

// Reading.

bool Reader::next(Value &value)
{
    if (skip_blanks() < 0)
        return false;
    value = read();
    return true;
}

void Reader::fail(const std::string &message) const
{
    throw Error("line " + std::to_string(line_) + ": " + message);
}

int Reader::peek() const
{
    return rest_.empty() ? -1 : static_cast<unsigned char>(rest_.front());
}

char Reader::take()
{
    char c = rest_.front();
    rest_.remove_prefix(1);
    line_ += c == '\n';
    return c;
}

int Reader::skip_blanks()
{
    bool comment = false;
    int c = peek();
    while (c >= 0 && (comment || c <= ' ' || c == ';')) {
        comment = c != '\n' && (comment || c == ';');
        take();
        c = peek();
    }
    return c;
}

Value Reader::read()
{
    Frame frame(in_);
    switch (skip_blanks()) {
    case -1:
        fail("unexpected end");
    case '(':
        take();
        return read_list();
    case ')':
        fail("unexpected )");
    case '\'':
        take();
        in_.push(Value(in_.intern("quote")));
        in_.push(read());
        return in_.list_from(frame.base());
    case '"':
        take();
        return read_string();
    default:
        return read_word();
    }
}

Value Reader::read_list()
{
    std::size_t first = in_.height();
    Value tail(Kind::Nil);
    while (skip_blanks() != ')') {
        if (peek() == '.' && rest_.size() > 1 &&
            std::string_view("( \t\r\n").find(rest_[1]) !=
                std::string_view::npos) {
            take();
            if (in_.height() == first)
                fail("nothing before .");
            tail = read();
            if (skip_blanks() != ')')
                fail("expected )");
            break;
        }
        in_.push(read());
    }
    take();
    return in_.list_from(first, tail);
}

Value Reader::read_string()
{
    std::string text;
    for (;;) {
        if (peek() < 0)
            fail("string without an end");
        char c = take();
        if (c == '"')
            return in_.string(std::move(text));
        if (c == '\\') {
            if (peek() < 0)
                fail("string without an end");
            c = take();
            if (c == 'n')
                c = '\n';
            else if (c == 't')
                c = '\t';
            else if (c != '"' && c != '\\')
                fail("malformed escape");
        }
        text += c;
    }
}

Value Reader::read_word()
{
    std::size_t length = 0;
    while (length < rest_.size() &&
           static_cast<unsigned char>(rest_[length]) > ' ' &&
           std::string_view("()'\";").find(rest_[length]) ==
               std::string_view::npos)
        length++;
    std::string word(rest_.substr(0, length));
    rest_.remove_prefix(length);

    std::size_t digits = word[0] == '+' || word[0] == '-' ? 1 : 0;
    std::size_t dot = digits < word.size() && word[digits] == '.' ? 1 : 0;
    if (digits + dot == word.size() || !is_digit(word[digits + dot])) {
        if (word == "#t" || word == "#f")
            return Value(word == "#t");
        return Value(in_.intern(word));
    }
    const char *start = word.c_str() + (word[0] == '+' ? 1 : 0);
    const char *end = word.c_str() + word.size();
    if (word.find_first_not_of("0123456789", digits) == std::string::npos) {
        std::int64_t integer = 0;
        if (std::from_chars(start, end, integer).ec != std::errc())
            fail("integer too large: " + word);
        return Value(integer);
    }
    char *stop = nullptr;
    double real = std::strtod(start, &stop);
    if (stop != end ||
        word.find_first_not_of("+-.0123456789eE") != std::string::npos)
        fail("malformed number " + word);
    return Value(real);
}

} // namespace lisp
