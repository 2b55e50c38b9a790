// Exceptions, destructors, virtual calls and a lambda, without any header.

extern "C" int printf(const char *, ...);

static int alive;

struct Guard {
  int id;
  explicit Guard(int i) : id(i) { alive++; }
  ~Guard() {
    alive--;
    printf("~%d ", id);
  }
};

struct Shape {
  virtual int area() const = 0;
  virtual ~Shape() {}
};
struct Square final : Shape {
  int side;
  explicit Square(int s) : side(s) {}
  int area() const override {
    if (side < 0) throw side;
    return side * side;
  }
};
struct Box : Shape {
  int a, b;
  Box(int x, int y) : a(x), b(y) {}
  int area() const override { return a * b; }
};

struct Quad {
  int a, b, c, d;
};
__attribute__((noinline)) static bool same(const Quad &x, const Quad &y) {
  return x.a == y.a && x.b == y.b && x.c == y.c && x.d == y.d;
}

template <typename Function> static int twice(Function function, int x) {
  return function(x) + function(x + 1);
}

__attribute__((noinline)) static int measure(const Shape &shape) {
  Guard guard(1);
  return shape.area() + 1;
}

__attribute__((noinline)) static int rethrow(int x) {
  Guard guard(2);
  try {
    return measure(Square(x));
  } catch (int value) {
    printf("caught %d ", value);
    if (value < -5) throw;
    return value;
  }
}

int main() {
  int total = 0;
  static const int sides[] = {3, -2, 4, -9};
  for (int x : sides) {
    try {
      total += rethrow(x);
    } catch (...) {
      printf("outer ");
      total += 1000;
    }
    printf("%d %d\n", total, alive);
  }
  int offset = total;
  printf("%d %d\n", measure(Box(4, 5)), twice([&](int x) { return x * offset; }, 3));
  const Quad first = {1, 2, 3, total}, second = {1, 2, 3, 1025};
  printf("%d %d\n", same(first, first), same(first, second));
  return 0;
}
