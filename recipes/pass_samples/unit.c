/* One translation unit of two: every pass is tried on this one, never on user.c.

   What a pass may not assume is that this is the whole program: user.c calls back
   into it, reads and writes its variables, and replaces its weak function. */

extern void call_back(int depth);
extern int imported;

int exported = 5;
int written_by_user = 1;
_Thread_local int exported_per_thread = 3;
const int exported_table[4] = {4, 3, 2, 1};
const char *exported_name = "unit";

static int local_depth;
static int local_sum;
static int (*hook)(int);

__attribute__((weak)) int overridden(int x) { return x; }

/* Recursive through another unit, with a local that is only used here. */
void reenter(int depth) {
  local_depth = depth;
  local_sum += local_depth;
  if (depth > 0) call_back(depth - 1);
  local_sum += local_depth * 100;
}

int read_sum(void) { return local_sum; }

void set_hook(int (*function)(int)) { hook = function; }
int run_hook(int x) { return hook ? hook(x) + written_by_user : -1; }

int use_overridden(int x) { return overridden(x) + imported; }

struct box { int a, b; };
int boxed(struct box *box, int unused, int constant) {
  box->b += box->a * constant;
  return exported + box->b;
}

int same_code_a(int x) { return x * 17 + 4; }
int same_code_b(int x) { return x * 17 + 4; }

int per_thread(void) { return ++exported_per_thread; }
