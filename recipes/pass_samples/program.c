/* One program with a bit of everything that LLVM's passes look for.

   It includes no header, so that it compiles for every target, and it prints the
   same text at every level: recipes/pass_probe.py compares what it prints before
   and after each pass. */

int printf(const char *, ...);
int putchar(int);
void *malloc(unsigned long);
void free(void *);
void *memcpy(void *, const void *, unsigned long);
void *memset(void *, int, unsigned long);
int memcmp(const void *, const void *, unsigned long);
unsigned long strlen(const char *);
char *strcpy(char *, const char *);
double sqrt(double);
double pow(double, double);
double log(double);
_Noreturn void abort(void);

typedef unsigned int u32;
typedef unsigned long u64;
typedef float vec4 __attribute__((vector_size(16)));
typedef int ivec4 __attribute__((vector_size(16)));

#define NOINLINE __attribute__((noinline))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Globals: exported, private, constant twice, never read, never written. */
int exported_counter;
static int private_counter, write_only, never_written = 3;
static const char once[] = "same text", twice[] = "same text";
static const int table_a[4] = {1, 2, 3, 4}, table_b[4] = {1, 2, 3, 4};
static unsigned char buffer_a[64], buffer_b[64];
static int large[256], other[256];
static _Thread_local int per_thread = 7;
static volatile int port;
static int started;

__attribute__((constructor)) static void start(void) { started = 41; }
__attribute__((destructor)) static void stop(void) { printf("stopped %d\n", started); }
__attribute__((weak)) int replaceable(int x) { return x + 1; }

/* Switches: dense, sparse, with fallthrough, to a table of values. */
NOINLINE int dense(int x) {
  switch (x) {
  case 0: return 17;
  case 1: return 4;
  case 2: return -9;
  case 3: return 300;
  case 4: return 2;
  case 5: return 71;
  default: return -1;
  }
}

NOINLINE int sparse(int state, const char *text) {
  int sum = 0;
  for (; *text; text++) {
    switch (state) {
    case 0:
      if (*text == 'a') state = 1000;
      else if (*text == 'b') state = 77;
      sum += 1;
      break;
    case 77:
      state = *text == 'c' ? 5000000 : 0;
      /* fallthrough */
    case 78:
      sum += 3;
      break;
    case 1000:
      state = 0;
      sum *= 2;
      break;
    case 5000000:
      return sum - 1;
    default:
      abort();
    }
  }
  return sum;
}

/* A computed goto and control flow with two entries into a loop. */
NOINLINE int interpret(const unsigned char *code) {
  static const void *const labels[] = {&&op_add, &&op_double, &&op_jump, &&op_end};
  int value = 1, jumped = 0;
  goto *labels[*code];
op_add:
  value += code[1];
  code += 2;
  goto *labels[*code];
op_double:
  value *= 2;
  code += 1;
  goto *labels[*code];
op_jump:
  code += jumped++ ? 1 : 2;
  goto *labels[*code];
op_end:
  return value;
}

NOINLINE int irreducible(int n, int where) {
  int sum = 0;
  if (where) goto second;
first:
  sum += n;
  n -= 1;
second:
  sum += 2;
  n -= 1;
  if (n > 0) goto first;
  return sum;
}

/* Recursion: to a loop, with an accumulator, mutual. */
NOINLINE u32 factorial(u32 n) { return n <= 1 ? 1 : n * factorial(n - 1); }
NOINLINE u32 gcd(u32 a, u32 b) { return b ? gcd(b, a % b) : a; }
static int is_odd(u32 n);
static int is_even(u32 n) { return n == 0 ? 1 : is_odd(n - 1); }
static int is_odd(u32 n) { return n == 0 ? 0 : is_even(n - 1); }

/* The same function twice, and the same region three times. */
NOINLINE int twin_a(int x, int y) { return (x * 31 + y) ^ (y >> 3) ^ (x << 2 & 0xff0); }
NOINLINE int twin_b(int x, int y) { return (x * 31 + y) ^ (y >> 3) ^ (x << 2 & 0xff0); }

NOINLINE int region_a(int *p, int x) {
  p[0] = x * 7 + 1;
  p[1] = p[0] ^ x;
  p[2] = p[1] + (p[0] & 15);
  p[3] = p[2] - x;
  return p[3] + 1;
}
NOINLINE int region_b(int *p, int x) {
  p[0] = x * 7 + 1;
  p[1] = p[0] ^ x;
  p[2] = p[1] + (p[0] & 15);
  p[3] = p[2] - x;
  return p[3] * 2;
}
NOINLINE int region_c(int *p, int x) {
  putchar('.');
  p[0] = x * 7 + 1;
  p[1] = p[0] ^ x;
  p[2] = p[1] + (p[0] & 15);
  p[3] = p[2] - x;
  return p[3] ^ 5;
}

/* Arguments: by reference to a private function, dead, constant, returned. */
struct pair { int first, second; };
NOINLINE static int by_reference(const struct pair *p, int unused) {
  return p->first * 3 + p->second;
}
NOINLINE static int scaled(int x, int factor, int dead) { return x * factor; }
NOINLINE static struct pair swapped(struct pair p) {
  return (struct pair){p.second, p.first};
}
static int minus(int x) { return x - 9; }
static int times(int x) { return x * 3; }
static int (*const jump_table[3])(int) = {minus, times, replaceable};
NOINLINE int through_table(u32 which, int x) { return jump_table[which](x); }
static int apply(int (*f)(int), int x) { return f(x) + f(x + 1); }
static int increment(int x) { return x + 1; }
static int negate(int x) { return -x; }
static inline __attribute__((always_inline)) int always(int x) { return x * x + 1; }

/* Cold ends and early ways out. */
__attribute__((cold)) NOINLINE static void complain(int code) {
  printf("complaint %d\n", code);
  private_counter += code;
}
NOINLINE int careful(int x) {
  if (__builtin_expect(x < 0, 0)) {
    complain(1);
    complain(x * 3);
    printf("negative %d %d\n", x, private_counter);
    return 0;
  }
  return x + 1;
}
static int early_way_out(const int *p, int n) {
  if (!p) return 0;
  int sum = 0;
  for (int i = 0; i < n; i++) {
    sum += p[i];
    if (sum > 1000000) {
      printf("large %d\n", sum);
      sum -= 999999;
    }
    if (sum & 1) exported_counter += i;
  }
  return sum;
}

/* Loops: idioms, nests, adjacent, invariant conditions, two exits, reductions. */
NOINLINE void multiply(const int *restrict a, const int *restrict b, int *restrict c, int n) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      c[i * n + j] = 0;
      for (int k = 0; k < n; k++) c[i * n + j] += a[i * n + k] * b[k * n + j];
    }
}
NOINLINE int column_sums(int matrix[restrict 12][12], int *restrict sums) {
  int total = 0;
  for (int j = 0; j < 12; j++)
    for (int i = 0; i < 12; i++) matrix[i][j] += i * j;
  for (int i = 0; i < 12; i++) sums[i] = matrix[i][3];
  for (int i = 0; i < 12; i++) total += sums[i] * 2;
  return total;
}
NOINLINE void fill_and_copy(int n) {
  for (int i = 0; i < n; i++) buffer_a[i] = 0;
  for (int i = 0; i < n; i++) buffer_b[i] = buffer_a[i];
  for (int i = 0; i < n; i++) large[i] = i * 3;
  for (int i = 0; i < n; i++) other[i] = large[i] + 1;
}
NOINLINE int unswitched(const int *p, int n, int flag, int limit) {
  int sum = 0;
  for (int i = 0; i < n; i++) {
    if (flag) sum += p[i] * limit;
    else sum -= p[i] / (limit + 1);
    if (i < limit) sum += 2;
  }
  return sum;
}
NOINLINE int two_exits(const int *p, int n, int wanted) {
  int i = 0;
  while (i < n) {
    if (p[i] == wanted) return i;
    if (p[i] < 0) break;
    i++;
  }
  return -1;
}
NOINLINE int bits(u32 x) {
  int count = 0;
  while (x) {
    x &= x - 1;
    count++;
  }
  return count;
}
NOINLINE int leading(u32 x) {
  int count = 0;
  while (x >>= 1) count++;
  return count;
}
NOINLINE long checked_sum(const int *p, int length, int n) {
  long sum = 0;
  for (int i = 0; i < n; i++) {
    if (i < 0 || i >= length) abort();
    sum += p[i];
  }
  return sum;
}
NOINLINE int invariant(int *p, const int *q, int n, int x) {
  int sum = 0;
  for (int i = 0; i < n; i++) {
    *p = x * x + *q;
    sum += *p + i;
  }
  return sum;
}
NOINLINE u32 crc(const unsigned char *p, int n) {
  u32 value = 0xffffffffu;
  for (int i = 0; i < n; i++) {
    value ^= p[i];
    for (int bit = 0; bit < 8; bit++)
      value = value & 1 ? (value >> 1) ^ 0xedb88320u : value >> 1;
  }
  return ~value;
}
NOINLINE int strided(const int *p, int n) {
  int sum = 0;
  for (int i = 0; i < n; i += 2) sum += p[i] * p[i + 1] + p[i + 2];
  return sum;
}
NOINLINE void recurrence(int *p, int n) {
  for (int i = 1; i < n; i++) p[i] = p[i - 1] + p[i] * 2;
}
NOINLINE void distributed(int *restrict p, int *restrict q, const int *restrict r, int n) {
#pragma clang loop distribute(enable)
  for (int i = 1; i < n; i++) {
    p[i] = (p[i - 1] & 255) * r[i];
    q[i] = r[i] * 5 + q[i];
  }
}
NOINLINE void maybe_aliased(int *p, int *q, int *r, int n) {
  for (int i = 0; i < n; i++) p[i] = q[i] + *r;
}
NOINLINE int first_difference(const unsigned char *a, const unsigned char *b, u32 from, u32 to) {
  while (++from != to)
    if (a[from] != b[from]) break;
  return (int)from;
}
NOINLINE u64 flattened(const u32 *p, u32 rows, u32 columns) {
  u64 sum = 0;
  for (u32 i = 0; i < rows; i++)
    for (u32 j = 0; j < columns; j++) sum += p[i * columns + j];
  return sum;
}

NOINLINE void jammed(int *restrict sums, const int (*restrict matrix)[16], int n) {
#pragma unroll_and_jam(2)
  for (int i = 0; i < n; i++) {
    int sum = 0;
    for (int j = 0; j < 16; j++) sum += matrix[i][j];
    sums[i] = sum;
  }
}
NOINLINE void transposed(int (*restrict a)[16], const int (*restrict b)[16]) {
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) a[j][i] = a[j][i] + b[j][i];
}
NOINLINE void count_down(int *p, u32 n) {
  for (; n != 0; n--) *p++ += 7;
}
NOINLINE void invariant_store(int *sum, const int *p, int n) {
  for (int i = 0; i < n; i++) *sum += p[i];
}

/* Memory: structs, comparisons, unions, bit fields, a variable length array. */
struct record { int id; short kind; char tag[6]; long weight; };
NOINLINE int same_record(const struct record *a, const struct record *b) {
  return a->id == b->id && a->kind == b->kind && a->weight == b->weight;
}
struct quad { int a, b, c, d; };
NOINLINE int same_quad(const struct quad *p, const struct quad *q) {
  return p->a == q->a && p->b == q->b && p->c == q->c && p->d == q->d;
}
NOINLINE int same_bytes(const void *a, const void *b) { return memcmp(a, b, 16) == 0; }
NOINLINE int order_bytes(const void *a, const void *b) { return memcmp(a, b, 8) < 0; }
NOINLINE struct record make_record(int id) {
  struct record local, copy;
  memset(&local, 0, sizeof local);
  local.id = id;
  local.kind = (short)(id * 3);
  local.tag[0] = 'x';
  local.weight = id * 100L;
  memcpy(&copy, &local, sizeof copy);
  copy.weight += copy.kind;
  return copy;
}
NOINLINE int fields(u32 x) {
  struct { u32 low : 5, mid : 11, high : 16; } f = {x & 31, x >> 5 & 2047, x >> 16};
  f.mid += f.low;
  return (int)(f.high ^ f.mid);
}
NOINLINE int variable_array(int n) {
  int array[n], sum = 0;
  for (int i = 0; i < n; i++) array[i] = i * i;
  for (int i = n - 1; i >= 0; i--) sum = sum * 3 + array[i];
  return sum;
}
NOINLINE void four_stores(int *p, const int *q) {
  p[0] = q[0] + 1;
  p[1] = q[1] + 1;
  p[2] = q[2] + 1;
  p[3] = q[3] + 1;
}
NOINLINE int redundant(int *p, int *q, int c) {
  int x = *p + *q;
  *q = 5;
  *q = 6;
  if (c) *p = x;
  else *p = x + 1;
  return *p + *q + x;
}
NOINLINE int hoistable(int c, int x, int y) {
  int result;
  if (c) {
    result = x * y + 3;
    exported_counter = x * y;
  } else {
    result = x * y - 3;
    exported_counter = x * y + 1;
  }
  return result;
}
NOINLINE int threaded(int a, int b) {
  int kind;
  if (a > 3) kind = 1;
  else if (b > 3) kind = 2;
  else kind = 0;
  b += a;
  if (kind == 1) return b * 2;
  if (kind == 2) return b - 7;
  return b;
}
NOINLINE int callsite(int a, int b) {
  if (a == 0 || b == 5) return twin_a(a, b);
  return 3;
}

/* Numbers: floating point, large constants, 64 and 128 bits, vectors, complex. */
NOINLINE int through_float(int x, int y) { return (int)((float)(x & 255) + (float)(y & 255)); }
NOINLINE double real_numbers(double x, int n) {
  double sum = 0;
  for (int i = 1; i <= n; i++) sum += sqrt(x * i) / (x + i);
  log(x + 2);
  return sum + pow(x, 2.0);
}
NOINLINE u64 large_constants(u64 x, u64 y) {
  u64 a = x + 0x123456789abcdef0ul;
  if (y & 1) a ^= y * 0x123456789abcdef1ul;
  return a + (x | 0x123456789abcdef0ul) - (y & 0x123456789abcdef8ul);
}
NOINLINE int divisions(int a, int b) { return a / b * 1000 + a % b; }
NOINLINE u64 wide(u64 a, u64 b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  return (u64)(product >> 64) ^ (u64)(product % 1000000007u);
}
NOINLINE vec4 vectors(vec4 a, vec4 b, float x) {
  vec4 sum = a * b + (vec4){x, x, x, x};
  sum[1] = sum[0] + sum[2];
  return sum;
}
NOINLINE int lanes(ivec4 a, ivec4 b) {
  ivec4 m = (a > b) & (a - b);
  return m[0] + m[1] + m[2] + m[3];
}
NOINLINE void complex_product(const float *a, const float *b, float *c, int n) {
  for (int i = 0; i < n; i++) {
    c[2 * i] = a[2 * i] * b[2 * i] - a[2 * i + 1] * b[2 * i + 1];
    c[2 * i + 1] = a[2 * i] * b[2 * i + 1] + a[2 * i + 1] * b[2 * i];
  }
}
NOINLINE int reassociated(int a, int b, int c) {
  return (a + 3) + (b + 4) + (c + a) + ((a + b) * 4 + (a + b) * 8);
}
NOINLINE int assumed(int *p, int n) {
  __builtin_assume(n > 0);
  __builtin_assume(((u64)p & 15) == 0);
  int sum = 0;
  for (int i = 0; i < n; i++) sum += p[i];
  return n > 0 ? sum : -1;
}
NOINLINE int multiples(int b, int s) {
  int first = b * s, second = (b + 1) * s, third = (b + 2) * s;
  return first ^ second ^ third;
}
NOINLINE int partial_sums(int a, int b, int c) {
  int first = a + c;
  printf("%d ", first);
  int second = a + (b + c);
  return first ^ second;
}
NOINLINE int known(int x) {
  return (__builtin_constant_p(x) ? 1 : 2) + (int)__builtin_object_size(&x, 0);
}
NOINLINE int compared_as_float(int x) { return (float)(x & 1023) < 3.0f; }
NOINLINE int narrow(unsigned char a, unsigned char b) {
  unsigned char c = (unsigned char)(a + b);
  return c > 100 ? c - a : c + (signed char)b;
}

/* What must survive: atomic and volatile accesses, thread-local data, assembly. */
int shared_value;
NOINLINE int atomics(int x) {
  int old = __atomic_fetch_add(&shared_value, x, __ATOMIC_SEQ_CST);
  int expected = old + x;
  __atomic_compare_exchange_n(&shared_value, &expected, 100, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  old ^= (int)__atomic_fetch_nand(&shared_value, 6, __ATOMIC_RELAXED) & 1;
  return old + __atomic_exchange_n(&shared_value, x + 1, __ATOMIC_SEQ_CST);
}
NOINLINE int volatiles(int x) {
  port = x;
  port = x + 1;
  return port + port;
}
NOINLINE int thread_local_data(int x) { return per_thread += x; }
NOINLINE int assembly(int x) {
#if defined(__x86_64__)
  __asm__ volatile("addl $5, %0" : "+r"(x)::"cc");
  __asm__ goto("testl %0, %0\n\tjs %l1" ::"r"(x) : "cc" : negative);
#else
  x += 5;
  if (x < 0) goto negative;
#endif
  return x;
negative:
  return -1;
}
NOINLINE int variadic(int n, ...) {
  __builtin_va_list list;
  __builtin_va_start(list, n);
  int sum = 0;
  for (int i = 0; i < n; i++) sum += __builtin_va_arg(list, int);
  __builtin_va_end(list);
  return sum;
}

static u32 seed = 12345;
static int next(void) {
  seed = seed * 1664525u + 1013904223u;
  return (int)(seed >> 16 & 0x7fff);
}

static void control_flow(void) {
  static const unsigned char code[] = {0, 5, 1, 2, 0, 1, 2, 3, 3};
  for (int i = -1; i < 8; i++) printf("%d ", dense(i));
  printf("%d %d %d\n", sparse(0, "xxbcabcz"), sparse(0, "aabbc"), sparse(77, "cba"));
  printf("%d %d %d\n", interpret(code), irreducible(9, 0), irreducible(8, 1));
  printf("%u %u %d %d\n", factorial(9), gcd(5040, 1386), is_even(40), is_odd(13));
  printf("%d %d %d\n", threaded(4, 1), threaded(1, 4), threaded(2, 2));
  printf("%d %d %d\n", callsite(0, 8), callsite(8, 5), callsite(1, 1));
  printf("%d %d\n", careful(5), careful(-5));
}

static void functions(void) {
  int p[4];
  struct pair pair = {next() & 7, next() & 7}, other_pair = swapped(pair);
  printf("%d %d %d\n", twin_a(3, 9), twin_b(3, 9), twin_a == twin_b);
  printf("%d %d %d\n", region_a(p, 3), region_b(p, 4), region_c(p, 5));
  printf("%d %d\n", by_reference(&pair, 1), by_reference(&other_pair, 2));
  printf("%d %d\n", scaled(next() & 15, 6, 1), scaled(7, 6, next()));
  printf("%d %d %d\n", apply(increment, 4), apply(negate, 9), always(next() & 31));
  printf("%d %d\n", early_way_out(large, 40), early_way_out(0, 3));
  printf("%d %d\n", early_way_out(other, 60), exported_counter);
  printf("%d %d\n", replaceable(3), variadic(4, 1, 2, 3, 4));
  printf("%d %d %d\n", through_table(0, 5), through_table(1, 5), through_table(2, 5));
}

static void loops(void) {
  static int a[64], b[64], c[64], matrix[12][12], sums[12], wide_a[16][16], wide_b[16][16];
  fill_and_copy(50);
  for (int i = 0; i < 64; i++) {
    a[i] = next() % 100;
    b[i] = next() % 100;
  }
  multiply(a, b, c, 8);
  printf("%d %d %d\n", c[0], c[31], c[63]);
  printf("%d %d\n", column_sums(matrix, sums), sums[7]);
  printf("%d %d\n", unswitched(a, 64, 1, 9), unswitched(b, 64, 0, 4));
  printf("%d %d\n", two_exits(a, 64, a[40]), two_exits(b, 64, -3));
  printf("%d %d\n", bits(0xf0f1u), leading(0x12345u));
  printf("%ld %d\n", checked_sum(a, 64, 60), invariant(c, b, 10, 3));
  printf("%08x\n", crc((const unsigned char *)once, sizeof once));
  printf("%d\n", strided(b, 60));
  recurrence(a, 16);
  distributed(c, b, a, 12);
  maybe_aliased(c, b, c + 3, 20);
  printf("%d %d %d\n", a[15], b[11], c[19]);
  printf("%d\n", first_difference(buffer_a, buffer_b, 3, 60));
  for (int i = 0; i < 256; i++) wide_b[i / 16][i % 16] = next() % 50;
  jammed(sums, wide_b, 12);
  transposed(wide_a, wide_b);
  count_down(wide_a[3], 20);
  invariant_store(sums + 2, wide_a[4], 9);
  printf("%d %d %d\n", sums[2], sums[11], wide_a[3][9] + wide_a[4][1]);
  printf("%lu\n", flattened((const u32 *)large, 10, 20));
}

static void memory(void) {
  struct record r = make_record(5), s = make_record(5), t = make_record(6);
  int four[4], x = 4, y = 9;
  char text[16];
  printf("%d %d %ld\n", same_record(&r, &s), same_record(&r, &t), t.weight);
  printf("%d %d\n", same_quad((const struct quad *)table_a, (const struct quad *)table_b),
         same_quad((const struct quad *)large, (const struct quad *)other));
  printf("%d %d\n", same_bytes(table_a, table_b), order_bytes("abcdefgh", "abcdefgz"));
  printf("%d %d\n", fields(0x12345678u), variable_array(next() % 5 + 6));
  four_stores(four, table_a);
  printf("%d %d %d\n", four[0], four[3], redundant(&x, &y, 1));
  printf("%d %d\n", hoistable(0, 3, 4), hoistable(1, 5, 6) + exported_counter);
  strcpy(text, twice);
  write_only = never_written;
  printf("%s %lu %d\n", text, strlen(once), never_written);
  char *heap = malloc(32);
  if (heap) {
    memset(heap, 'h', 31);
    heap[31] = 0;
    printf("%s\n", heap);
  }
  free(heap);
}

static void numbers(void) {
  static _Alignas(16) int aligned[16] = {1, 2, 3, 4, 5};
  float f[8] = {1, 2, 3, 4, 5, 6, 7, 8}, g[8];
  vec4 v = vectors((vec4){1, 2, 3, 4}, (vec4){2, 2, 2, 2}, 0.5f);
  printf("%d %.6f\n", through_float(200, 77), real_numbers(2.5, 9));
  printf("%lx %d\n", large_constants(5, 7), divisions(12345, 67));
  printf("%lu %d\n", wide(0xfedcba9876543210ul, 0x1234567ul), lanes((ivec4){1, 9, 3, 8}, (ivec4){0, 4, 5, 2}));
  complex_product(f, f, g, 4);
  printf("%.2f %.2f %.2f %.2f\n", v[0], v[1], g[2], g[7]);
  printf("%d %d %d\n", reassociated(1, 2, 3), assumed(aligned, 16), narrow(200, 100));
  printf("%d %d", multiples(7, next() & 63), known(3));
  printf(" %d %d\n", partial_sums(1, 2, 3), compared_as_float(1025));
}

static void kept(void) {
  printf("%d %d %d\n", atomics(5), atomics(7), shared_value);
  printf("%d %d %d\n", volatiles(3), thread_local_data(4), assembly(10));
  printf("%d %d\n", private_counter, started);
}

int main(void) {
  control_flow();
  loops();
  functions();
  memory();
  numbers();
  kept();
  return 0;
}
