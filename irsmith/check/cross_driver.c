/* Runs many programs that were linked into one executable, each in a child.
 *
 *     driver MILLISECONDS FIRST LAST
 *
 * One line a program: its index, then "exited STATUS", "signal NUMBER" or
 * "timeout 0", then the hash (FNV-1a, 64 bits) of what it wrote to stdout.
 * cross.py puts the table of the programs' main functions, irsmith_mains, below.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int main_function(int, char **, char **);
extern main_function *const irsmith_mains[];
extern char **environ;

static void limit(int what, rlim_t value) {
    struct rlimit both = {value, value};
    setrlimit(what, &both);
}

static void timer(int which, long milliseconds) {
    struct itimerval value = {{0, 0}, {milliseconds / 1000, milliseconds % 1000 * 1000}};
    setitimer(which, &value, 0);
}

static void child(int index, int output, long milliseconds) {
    static char name[] = "program";
    static char *arguments[] = {name, 0}, *environment[] = {0};
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(output, 1);
    dup2(null, 2);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 1 << 22);
    environ = environment;
    /* Processor time counts, so that a busy machine does not fail programs; the
     * other timer is for those that wait for what never comes. */
    timer(ITIMER_PROF, milliseconds);
    timer(ITIMER_REAL, 10 * milliseconds + 1000);
    exit(irsmith_mains[index](1, arguments, environment));
}

static unsigned long long hash_of(int file) {
    static unsigned char bytes[1 << 16];
    unsigned long long hash = 14695981039346656037ull;
    off_t at = 0;
    for (ssize_t count; (count = pread(file, bytes, sizeof bytes, at)) > 0; at += count)
        for (ssize_t k = 0; k < count; k++)
            hash = (hash ^ bytes[k]) * 1099511628211ull;
    return hash;
}

int main(int count, char **arguments) {
    if (count != 4)
        return 2;
    long milliseconds = atol(arguments[1]);
    int output = memfd_create("output", 0);
    for (int index = atoi(arguments[2]); index <= atoi(arguments[3]); index++) {
        if (ftruncate(output, 0) || lseek(output, 0, SEEK_SET))
            return 3;
        pid_t pid = fork();
        if (pid < 0)
            return 3;
        if (pid == 0)
            child(index, output, milliseconds);
        int ended;
        if (waitpid(pid, &ended, 0) != pid)
            return 3;
        int by = WIFSIGNALED(ended) ? WTERMSIG(ended) : 0;
        const char *kind = by == 0 ? "exited" : by == SIGPROF || by == SIGALRM ? "timeout" : "signal";
        char line[64];
        int length = snprintf(line, sizeof line, "%d %s %d %016llx\n", index, kind,
                              by ? by : WEXITSTATUS(ended), hash_of(output));
        if (write(1, line, length) != length)
            return 3;
    }
    return 0;
}
