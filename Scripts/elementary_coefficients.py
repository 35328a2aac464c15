#!/usr/bin/env python3
"""Computes the polynomials of Sources/CKernels/elementary.h and activations.h: minimax fits, rounded to float.

    python Scripts/elementary_coefficients.py        (needs mpmath)

Polynomials are fitted by Remez's exchange to a smooth remainder, whose leading terms stay exact, with the weight that makes the error
that of the result; the quotient by Lawson's iteration.
The error that is printed is that of the rounded coefficients, relative to the result, in units of 2^-24: half a unit in the last
place of a number just above a power of two.
"""

import struct

from mpmath import mp, mpf

mp.dps = 40


def as_float(value):
    return mpf(struct.unpack("f", struct.pack("f", float(value)))[0])


def float_of_double(value):
    return mpf(float(value))


def solve_levelled(f, weight, degree, points):
    """The polynomial whose weighted error at the points is ±E in turns, and E."""
    matrix, right = mp.matrix(degree + 2, degree + 2), mp.matrix(degree + 2, 1)
    for row, x in enumerate(points):
        for power in range(degree + 1):
            matrix[row, power] = x**power
        matrix[row, degree + 1] = (-1) ** row / weight(x)
        right[row] = f(x)
    solution = mp.lu_solve(matrix, right)
    return [solution[i] for i in range(degree + 1)], abs(solution[degree + 1])


def evaluate(coefficients, x):
    sum = mpf(0)
    for coefficient in reversed(coefficients):
        sum = sum * x + coefficient
    return sum


def extremes_of(errors, count):
    """Where the largest error between each two changes of sign is, at most `count` of them."""
    extremes = []
    for i, error in enumerate(errors):
        if extremes and (error > 0) == (errors[extremes[-1]] > 0):
            if abs(error) > abs(errors[extremes[-1]]):
                extremes[-1] = i
        else:
            extremes.append(i)
    while len(extremes) > count:
        extremes.pop(0 if abs(errors[extremes[0]]) < abs(errors[extremes[-1]]) else -1)
    return extremes


def remez(f, weight, low, high, degree):
    """The coefficients, lowest first, of the polynomial with the least largest weighted error on [low, high]."""
    low, high = mpf(low), mpf(high)
    count = 40 * (degree + 2)
    grid = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * i / count) for i in range(count + 1)]
    values, weights = [f(x) for x in grid], [weight(x) for x in grid]
    points = [grid[round(i * count / (degree + 1))] for i in range(degree + 2)]
    for _ in range(30):
        coefficients, level = solve_levelled(f, weight, degree, points)
        errors = [(evaluate(coefficients, x) - v) * w for x, v, w in zip(grid, values, weights)]
        extremes = extremes_of(errors, degree + 2)
        if len(extremes) < degree + 2:
            break
        points = [grid[i] for i in extremes]
        if max(abs(e) for e in errors) < level * mpf("1.01"):
            break
    return coefficients, grid, values, weights


def show(name, f, weight, low, high, degree, rounded=as_float):
    coefficients, grid, values, weights = remez(f, weight, low, high, degree)
    coefficients = [rounded(c) for c in coefficients]
    error = max(abs((evaluate(coefficients, x) - v) * w) for x, v, w in zip(grid, values, weights))
    print(f"{name}: degree {degree}, error {float(error * 2**24):.2g}")
    for power, c in enumerate(coefficients):
        text = float(c).hex() if rounded is float_of_double else f"{float(c):.9g}f"
        print(f"  {power:2} {text}")


def show_quotient(name, f, arguments, degrees):
    """The quotient P / Q with Q(0) = 1 whose largest relative error at the arguments is least: least squares, again and again.

    Each round divides by the Q of the last one, and gives large errors more weight (Lawson's iteration).
    """
    top, bottom = degrees
    values = [f(x) for x in arguments]
    rows = [[x**k / v for k in range(top + 1)] + [-(x**k) for k in range(1, bottom + 1)] for x, v in zip(arguments, values)]
    quotients, weights, least = [mpf(1)] * len(arguments), [mpf(1)] * len(arguments), None
    for _ in range(120):
        scales = [w / q**2 for w, q in zip(weights, quotients)]
        size = top + bottom + 1
        matrix, right = mp.matrix(size, size), mp.matrix(size, 1)
        for i in range(size):
            right[i] = sum(s * row[i] for s, row in zip(scales, rows))
            for j in range(i + 1):
                matrix[i, j] = matrix[j, i] = sum(s * row[i] * row[j] for s, row in zip(scales, rows))
        solution = list(mp.lu_solve(matrix, right))
        parts = solution[: top + 1], [mpf(1)] + solution[top + 1 :]
        quotients = [evaluate(parts[1], x) for x in arguments]
        errors = [abs(evaluate(parts[0], x) / q / v - 1) for x, q, v in zip(arguments, quotients, values)]
        if least is None or max(errors) < least[0]:
            least = max(errors), parts
        weights = [w * (e / max(errors) + mpf("0.001")) for w, e in zip(weights, errors)]
        weights = [w / sum(weights) for w in weights]
    parts = [[as_float(c) for c in part] for part in least[1]]
    error = max(abs(evaluate(parts[0], x) / evaluate(parts[1], x) / v - 1) for x, v in zip(arguments, values))
    print(f"{name}: degrees {top} and {bottom}, error {float(error * 2**24):.2g}")
    for part in parts:
        print("  " + " ".join(f"{float(c):.9g}f" for c in part))


def main():
    root = mp.sqrt(2)
    small = mpf(2) ** -20

    # e^r = 1 + r + r² Q(r), |r| ≤ ln 2 / 2.
    def exp_rest(r):
        return (mp.exp(r) - 1 - r) / r**2 if abs(r) > small else mpf(1) / 2 + r / 6

    half = mp.log(2) / 2 * mpf("1.0005")
    show("exp", exp_rest, lambda r: r**2 / mp.exp(r) + mpf(10) ** -12, -half, half, 4)

    # log(1 + f) = f - f²/2 + f³ S(f), √½ ≤ 1 + f ≤ √2.
    def log_rest(f):
        return (mp.log1p(f) - f + f**2 / 2) / f**3 if abs(f) > small else mpf(1) / 3 - f / 4

    def log_weight(f):
        return abs(f**3 / mp.log1p(f)) + mpf(10) ** -12 if abs(f) > small else mpf(10) ** -12

    show("log", log_rest, log_weight, 1 / root - 1, root - 1, 8)

    # tanh x = x + x³ T(x²), x < 0.55.
    def tanh_rest(z):
        x = mp.sqrt(z)
        return (mp.tanh(x) - x) / x**3 if z > small else -mpf(1) / 3 + z * 2 / 15

    show("tanh", tanh_rest, lambda z: z + mpf(10) ** -12, 0, mpf("0.55") ** 2, 4)

    # erf x = x + x E(x²), x < 1, and erfc in x - 2.46 from there to 3.92, where erf rounds to 1.
    def erf_rest(z):
        x = mp.sqrt(z)
        return mp.erf(x) / x - 1 if z > small else 2 / mp.sqrt(mp.pi) * (1 - z / 3) - 1

    def erf_weight(z):
        return 1 / (1 + erf_rest(z))

    show("erf below 1", erf_rest, erf_weight, 0, 1, 6)
    centre = mpf("2.46")
    show("erfc from 1 on", lambda d: mp.erfc(d + centre), lambda d: mpf(1), 1 - centre, mpf("3.93") - centre, 12)

    # Φ(-a) e^(a²/2), a < 13.3.
    def tail(a):
        return mp.erfc(a / root) / 2 * mp.exp(a**2 / 2)

    show_quotient("tail", tail, [mpf("13.3") * ((1 - mp.cos(mp.pi * i / 200)) / 2) ** 2 for i in range(201)], (4, 5))

    # For powers, in double, errors relative to the result in the same unit: log₂ m = s A(s²), s = (m - 1) / (m + 1).
    def power_log(z):
        s = mp.sqrt(z)
        return 2 * mp.atanh(s) / s / mp.log(2) if z > small**2 else 2 / mp.log(2) * (1 + z / 3)

    largest = (root - 1) / (root + 1) * mpf("1.0001")
    show("log2 in double", power_log, lambda z: 1 / power_log(z), 0, largest**2, 6, float_of_double)
    # 2^r, |r| ≤ ½.
    show("exp2 in double", lambda r: mpf(2) ** r, lambda r: mpf(2) ** -r, -mpf("0.5005"), mpf("0.5005"), 7, float_of_double)


if __name__ == "__main__":
    main()
