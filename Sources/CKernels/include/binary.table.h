// Every elementwise function of two arguments a and b, expanded by BINARY. A power is a kernel of its own.
BINARY(add, a + b)
BINARY(subtract, a - b)
BINARY(multiply, a * b)
BINARY(divide, a / b)
// NaN propagates, as in PyTorch.
BINARY(maximum, a > b || a != a ? a : b)
BINARY(minimum, a < b || a != a ? a : b)
// A weight of 0 counts nothing, whatever b is.
BINARY(weighted, a == 0 ? 0 : a * b)
BINARY(less, a < b ? 1 : 0)
BINARY(less_or_equal, a <= b ? 1 : 0)
BINARY(equal, a == b ? 1 : 0)
BINARY(not_equal, a != b ? 1 : 0)
