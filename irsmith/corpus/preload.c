/* Loaded into every process of a recorded build (LD_PRELOAD): where a process starts a
 * compiler, by its name or its full path, the recorder of that name is started instead.
 * So the build's PATH stays as it is, and what CMake and its like write down about
 * compilers stays true when the recording is over.
 *
 * No header and no library is needed to compile this; everything comes from the libc of
 * the process. Children of vfork() come through here: nothing but the stack is written.
 */

typedef unsigned long size_t;
typedef long ssize_t;
extern char **environ;
extern char *getenv(const char *), *strchr(const char *, int), *strrchr(const char *, int);
extern size_t strlen(const char *);
extern int strcmp(const char *, const char *), strncmp(const char *, const char *, size_t);
extern void *memcpy(void *, const void *, size_t), *dlsym(void *, const char *);
extern void *memmem(const void *, size_t, const void *, size_t);
extern void *mmap(void *, size_t, int, int, int, long);
extern int munmap(void *, size_t), access(const char *, int), open(const char *, int, ...);
extern int close(int), *__errno_location(void);
extern ssize_t read(int, void *, size_t);
extern long lseek(int, long, int);

enum { PATH_BYTES = 4096, CLOEXEC = 02000000, EXECUTABLE = 1, HEAD = 1 << 20 };
#define NEXT ((void *)-1L) /* RTLD_NEXT */
#define FAILED ((void *)-1L) /* of mmap() */

static char names[PATH_BYTES];   /* the folder of the recorder's names */
static char library[PATH_BYTES]; /* this library, as LD_PRELOAD has it */

typedef int Exec(const char *, char *const[], char *const[]);
typedef int Spawn(int *, const char *, const void *, const void *, char *const[], char *const[]);
static Exec *next_execve, *next_execvpe;
static Spawn *next_spawn, *next_spawnp;

__attribute__((constructor)) static void start(void) {
  next_execve = (Exec *)dlsym(NEXT, "execve");
  next_execvpe = (Exec *)dlsym(NEXT, "execvpe");
  next_spawn = (Spawn *)dlsym(NEXT, "posix_spawn");
  next_spawnp = (Spawn *)dlsym(NEXT, "posix_spawnp");
  const char *folder = getenv("IRSMITH_RECORDER"), *own = getenv("IRSMITH_PRELOAD");
  if (folder && own && strlen(folder) < PATH_BYTES && strlen(own) < PATH_BYTES) {
    memcpy(names, folder, strlen(folder) + 1);
    memcpy(library, own, strlen(own) + 1);
  }
}

/* "FIRST/SECOND", or 0 if that is too long. */
static int join(char *out, const char *first, size_t length, const char *second) {
  if (length + strlen(second) + 2 > PATH_BYTES)
    return 0;
  memcpy(out, first, length);
  out[length] = '/';
  memcpy(out + length + 1, second, strlen(second) + 1);
  return 1;
}

/* The file that a name stands for, looked up on PATH as execvp() does. */
static int look_up(const char *name, char *out) {
  const char *path = getenv("PATH");
  while (path && *path) {
    const char *colon = strchr(path, ':');
    size_t length = colon ? (size_t)(colon - path) : strlen(path);
    if (length && join(out, path, length, name) && !access(out, EXECUTABLE))
      return 1;
    path = colon ? colon + 1 : 0;
  }
  return 0;
}

/* If the file is a compiler: its recorder's name, and the real one's path. */
static int compiler(const char *file, int by_name, char *recorder, char *real) {
  const char *slash = file ? strrchr(file, '/') : 0, *base = slash ? slash + 1 : file;
  if (!names[0] || !base || !*base || !join(recorder, names, strlen(names), base))
    return 0;
  if (access(recorder, EXECUTABLE) || !strcmp(recorder, file))
    return 0;
  if (!slash && by_name)
    return look_up(file, real);
  if (strlen(file) >= PATH_BYTES || access(file, EXECUTABLE))
    return 0;
  memcpy(real, file, strlen(file) + 1);
  return 1;
}

/* Programs that this library would disturb: for other machines, and those that were built
 * with a sanitizer, whose runtime wants to be loaded first. */
static int cannot_have_us(const char *file) {
  static const char *const runtimes[] = {"libasan.so", "libtsan.so", "libclang_rt.asan",
                                         "libhwasan.so", "libclang_rt.hwasan"};
  unsigned char head[20] = {0}, own[20] = {0};
  if (!file || !strchr(file, '/'))
    return 0;
  int handle = open(file, CLOEXEC), self = open("/proc/self/exe", CLOEXEC), found = 0;
  if (handle >= 0 && self >= 0 && read(handle, head, 20) == 20 && read(self, own, 20) == 20 &&
      head[0] == 127 && head[1] == 'E') {
    found = head[4] != own[4] || head[18] != own[18] || head[19] != own[19];
    if (!found && strncmp(file, "/usr/", 5) && strncmp(file, "/bin/", 5)) {
      long end = lseek(handle, 0, 2);
      size_t size = end > HEAD ? HEAD : end;
      void *text = mmap(0, size, 1, 2, handle, 0);
      if (text != FAILED) {
        for (size_t k = 0; k < sizeof runtimes / sizeof *runtimes && !found; k++)
          found = memmem(text, size, runtimes[k], strlen(runtimes[k])) != 0;
        munmap(text, size);
      }
    }
  }
  if (handle >= 0)
    close(handle);
  if (self >= 0)
    close(self);
  return found;
}

static size_t entries(char *const variables[]) {
  size_t count = 0;
  while (variables && variables[count])
    count++;
  return count;
}

/* The variables without this library in LD_PRELOAD, and with one more. */
static void leave_out(char *const from[], char **to, char *rest, const char *more) {
  size_t count = 0, length = strlen(library);
  for (size_t k = 0; from && from[k]; k++) {
    to[count] = from[k];
    const char *value = from[k] + 11, *place = value;
    if (!strncmp(from[k], "LD_PRELOAD=", 11) && strlen(value) < PATH_BYTES) {
      char *out = rest;
      memcpy(out, "LD_PRELOAD=", 11);
      out += 11;
      while (*place) {
        size_t word = 0;
        while (place[word] && place[word] != ':' && place[word] != ' ')
          word++;
        if (word && (word != length || strncmp(place, library, length))) {
          if (out != rest + 11)
            *out++ = ':';
          memcpy(out, place, word);
          out += word;
        }
        place += word + (place[word] != 0);
      }
      *out = 0;
      if (out == rest + 11)
        continue;
      to[count] = rest;
    }
    count++;
  }
  if (more)
    to[count++] = (char *)more;
  to[count] = 0;
}

/* Start a program, or its recorder, by whatever starts it. */
#define START(FILE, BY_NAME, VARIABLES, PLAIN, RECORDED)                                         \
  char recorder[PATH_BYTES], real[PATH_BYTES + 16], rest[PATH_BYTES + 16];                       \
  char *changed[entries(VARIABLES) + 2];                                                         \
  int before = *__errno_location();                                                              \
  if (compiler(FILE, BY_NAME, recorder, real + 13)) {                                            \
    memcpy(real, "IRSMITH_REAL=", 13);                                                           \
    leave_out(VARIABLES, changed, rest, real);                                                   \
    *__errno_location() = before;                                                                \
    return RECORDED;                                                                             \
  }                                                                                              \
  char *const *given = VARIABLES;                                                                \
  if (cannot_have_us(FILE)) {                                                                    \
    leave_out(VARIABLES, changed, rest, 0);                                                      \
    given = changed;                                                                             \
  }                                                                                              \
  *__errno_location() = before;                                                                  \
  return PLAIN

int execve(const char *file, char *const words[], char *const variables[]) {
  START(file, 0, variables, next_execve(file, words, given),
        next_execve(recorder, words, changed));
}

int execvpe(const char *file, char *const words[], char *const variables[]) {
  START(file, 1, variables, next_execvpe(file, words, given),
        next_execve(recorder, words, changed));
}

int execv(const char *file, char *const words[]) { return execve(file, words, environ); }

int execvp(const char *file, char *const words[]) { return execvpe(file, words, environ); }

int posix_spawn(int *child, const char *file, const void *actions, const void *attributes,
                char *const words[], char *const variables[]) {
  START(file, 0, variables, next_spawn(child, file, actions, attributes, words, given),
        next_spawn(child, recorder, actions, attributes, words, changed));
}

int posix_spawnp(int *child, const char *file, const void *actions, const void *attributes,
                 char *const words[], char *const variables[]) {
  START(file, 1, variables, next_spawnp(child, file, actions, attributes, words, given),
        next_spawn(child, recorder, actions, attributes, words, changed));
}
