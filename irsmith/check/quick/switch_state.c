// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A tokeniser as a state machine (switch in a loop, states known on most
// edges): jump-threading, dfa-jump-threading, structurizecfg, loop-rotate.

void abort(void) __attribute__((noreturn));
int printf(const char *, ...);

#define CHECK(x) do { if (!(x)) abort(); } while (0)

enum state { START, WORD, NUMBER, STRING, ESCAPE, COMMENT, SLASH, BAD };

struct counts {
    int words, numbers, strings, comments, others, escapes;
    long total;
};

static volatile int zero = 0;

static int lex(const char *text, struct counts *c)
{
    enum state s = START;
    long value = 0;
    const char *p = text;

    for (;;) {
        char ch = *p;

        switch (s) {
        case START:
            if (ch == 0)
                return (int)(p - text);
            if (ch >= 'a' && ch <= 'z') {
                s = WORD;
                c->words++;
            } else if (ch >= '0' && ch <= '9') {
                s = NUMBER;
                c->numbers++;
                value = 0;
                continue;
            } else if (ch == '"') {
                s = STRING;
                c->strings++;
            } else if (ch == '/') {
                s = SLASH;
            } else if (ch != ' ') {
                c->others++;
            }
            break;
        case WORD:
            if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9'))
                break;
            s = START;
            continue;
        case NUMBER:
            if (ch < '0' || ch > '9') {
                c->total += value;
                s = START;
                continue;
            }
            value = value * 10 + (ch - '0');
            break;
        case ESCAPE:
            c->escapes++;
            s = STRING;
            break;
        case STRING:
            if (ch == '\\')
                s = ESCAPE;
            else if (ch == '"')
                s = START;
            else if (ch == 0)
                s = BAD;
            if (s != BAD)
                break;
            /* fall through */
        case BAD:
            return -(int)(p - text);
        case SLASH:
            if (ch == '/') {
                c->comments++;
                s = COMMENT;
                break;
            }
            c->others++;
            s = START;
            continue;
        case COMMENT:
            if (ch == '\n')
                s = START;
            else if (ch == 0)
                return (int)(p - text);
            break;
        }
        p++;
    }
}

static struct counts run(const char *text, int *end)
{
    struct counts c = {0, 0, 0, 0, 0, 0, 0};

    *end = lex(text + zero, &c);
    return c;
}

int main(void)
{
    struct counts c;
    int end;

    c = run("alpha 12 b3 + 4567/x // tail 99\n\"q\\\"r\" 8 // end", &end);
    CHECK(end == 47);
    CHECK(c.words == 3 && c.numbers == 3 && c.total == 4587);
    CHECK(c.strings == 1 && c.escapes == 1);
    c = run("\"open \\\\ 5", &end);
    c = run("", &end);
    c = run("9/9/9 / z9", &end);
    CHECK(end == 10 && c.total == 27 && c.others == 3 && c.words == 1);
    printf("switch_state %d %ld\n", end, c.total);
    return 0;
}
