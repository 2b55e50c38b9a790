/* The other translation unit: compiled once, never passed through the tried pass. */

int printf(const char *, ...);

struct box { int a, b; };
extern int exported, written_by_user;
extern _Thread_local int exported_per_thread;
extern const int exported_table[4];
extern const char *exported_name;
extern void reenter(int depth);
extern int read_sum(void), run_hook(int), use_overridden(int), per_thread(void);
extern void set_hook(int (*function)(int));
extern int boxed(struct box *box, int unused, int constant);
extern int same_code_a(int), same_code_b(int);

int imported = 20;
int overridden(int x) { return x * 1000; }
void call_back(int depth) { reenter(depth); }
static int hooked(int x) { return x - written_by_user; }

int main(void) {
  struct box box = {3, 4};
  int (*volatile first)(int) = same_code_a, (*volatile second)(int) = same_code_b;
  reenter(3);
  printf("%d\n", read_sum());
  printf("%d", run_hook(8));
  set_hook(hooked);
  written_by_user = 50;
  printf(" %d\n", run_hook(8));
  exported = 900;
  printf("%d %d %d\n", use_overridden(4), boxed(&box, 1, 2), boxed(&box, 2, 5));
  exported_per_thread = 60;
  printf("%d %d %s\n", per_thread(), exported_table[1], exported_name);
  printf("%d %d\n", first(2) == second(2), first == second);
  return 0;
}
