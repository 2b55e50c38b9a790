// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A threaded interpreter with computed goto: indirectbr in loops, taken label
// addresses, phi webs over many edges. structurizecfg, loop and cfg passes.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

enum {
    PUSH,
    ADD,
    SUB,
    MUL,
    DUP,
    SWAP,
    OVER,
    DROP,
    JNZ,
    JMP,
    LOAD,
    STORE,
    HALT
};

static volatile int zero = 0;

static long interpret(const signed char *code, long arg, int *steps)
{
    static void *const table[] = {
        &&push, &&add, &&sub, &&mul, &&dup, &&swap, &&over,
        &&drop, &&jnz, &&jmp, &&load, &&store, &&halt,
    };
    long stack[16], var[4] = {0, 0, 0, 0}, t;
    const signed char *pc = code;
    int sp = 0, n = 0;

    stack[sp++] = arg;
#define NEXT                                                                   \
    do {                                                                       \
        n++;                                                                   \
        goto *table[*pc++];                                                    \
    } while (0)
    NEXT;
push:
    stack[sp++] = *pc++;
    NEXT;
add:
    sp--;
    stack[sp - 1] += stack[sp];
    NEXT;
sub:
    sp--;
    stack[sp - 1] -= stack[sp];
    NEXT;
mul:
    sp--;
    stack[sp - 1] *= stack[sp];
    NEXT;
dup:
    stack[sp] = stack[sp - 1];
    sp++;
    NEXT;
swap:
    t = stack[sp - 1];
    stack[sp - 1] = stack[sp - 2];
    stack[sp - 2] = t;
    NEXT;
over:
    stack[sp] = stack[sp - 2];
    sp++;
    NEXT;
drop:
    sp--;
    NEXT;
jnz:
    t = stack[--sp];
    pc = t ? pc + *pc : pc + 1;
    NEXT;
jmp:
    pc += *pc;
    NEXT;
load:
    stack[sp++] = var[*pc++];
    NEXT;
store:
    var[*pc++] = stack[--sp];
    NEXT;
halt:
    *steps = n;
    return stack[sp - 1];
#undef NEXT
}

int main(void)
{
    /* r = 1; while (n) { r *= n; n -= 1; } */
    static const signed char factorial[] = {
        STORE, 0, PUSH, 1, LOAD, 0, MUL, LOAD, 0, PUSH, 1, SUB, DUP, STORE, 0,
        JNZ, -12, HALT,
    };
    /* a, b = 0, 1; repeat n times: a, b = b, a + b */
    static const signed char fibonacci[] = {
        STORE, 1, PUSH, 0, PUSH, 1, LOAD, 1, JNZ, 3, DROP, HALT,
        SWAP, OVER, ADD, LOAD, 1, PUSH, 1, SUB, STORE, 1, JMP, -17,
    };
    int steps, i;
    long a = 0, b = 1;

    CHECK(interpret(factorial, 5 + zero, &steps) == 120 && steps == 43);
    for (i = 0; i < 20; i++) {
        long t;

        CHECK(interpret(fibonacci, i + zero, &steps) == a);
        t = a + b;
        a = b;
        b = t;
    }
    printf("goto_interp %ld %d\n", a, steps);
    return 0;
}
