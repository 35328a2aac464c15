// Random numbers against SplitMix64, whose first numbers are known, and the formula of Box and Muller.
#include "check.h"

static unsigned long split_mix(unsigned long seed, unsigned long index) {
  unsigned long z = seed + (index + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// As many bits as the type has digits.
static double uniform(unsigned long seed, long index) {
  return ldexp((double)(split_mix(seed, (unsigned long)index) >> (64 - digits)), -digits);
}

static double normal(unsigned long seed, long index) {
  const long pair = index & -2;
  const double u = 1 - ldexp((double)(split_mix(seed, (unsigned long)pair) >> 11), -53);
  const double angle = 2 * M_PI * ldexp((double)(split_mix(seed, (unsigned long)pair + 1) >> 11), -53);
  return sqrt(-2 * log(u)) * (index % 2 ? sin(angle) : cos(angle));
}

static void check_sequences(unsigned long seed, long first, long n) {
  const REAL keep = (REAL)0.7;
  REAL *y = ARRAY(REAL, n), *z = ARRAY(REAL, n), *x = numbers(n), *dropped = ARRAY(REAL, n);
  double *wanted = zeros(n), *wantedNormal = zeros(n), *wantedDropped = zeros(n);
  for (long i = 0; i < n; i++) {
    wanted[i] = uniform(seed, first + i);
    wantedNormal[i] = normal(seed, first + i);
    wantedDropped[i] = wanted[i] < keep ? x[i] / (double)keep : 0;
  }
  set_size("seed %lu, %ld from %ld on", seed, n, first);
  RUN(en_uniform, seed, first, n, y);
  expect_equal(n, y, wanted);
  RUN(en_normal, seed, first, n, z);
  // Of a float nearly all digits of a double are dropped: what is left is rounded once.
  expect(n, z, wantedNormal, digits == 24 ? 0.51 : 4);
  RUN(en_dropout, seed, first, n, keep, x, dropped);
  expect(n, dropped, wantedDropped, 2);
  free_arrays();
}

/// The first numbers of SplitMix64 with the seed 1234567, as its author published them.
static void check_known_numbers(void) {
  const unsigned long known[] = {
    6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u, 16408922859458223821u};
  REAL *y = ARRAY(REAL, COUNT(known));
  double *wanted = zeros(COUNT(known));
  for (long i = 0; i < COUNT(known); i++) wanted[i] = ldexp((double)(known[i] >> (64 - digits)), -digits);
  set_size("seed 1234567");
  RUN(en_uniform, 1234567ul, 0, COUNT(known), y);
  expect_equal(COUNT(known), y, wanted);
  free_arrays();
}

/// Mean, variance and kurtosis of normal numbers, the mean of uniform ones and the share that is kept, within five standard errors.
static void check_statistics(void) {
  const long n = 1 << 14;
  REAL *y = ARRAY(REAL, n), *x = ARRAY(REAL, n);
  const double error = 5 / sqrt((double)n);
  double mean = 0, variance = 0, kurtosis = 0, kept = 0, uniformMean = 0;
  set_size("statistics of %ld", n);
  RUN(en_normal, 7, 0, n, y);
  for (long i = 0; i < n; i++) {
    const double square = (double)y[i] * y[i];
    mean += y[i] / (double)n;
    variance += square / (double)n;
    kurtosis += square * square / (double)n;
  }
  compare(0, fabs(mean) < error, mean, 0);
  compare(1, fabs(variance - 1) < error * sqrt(2), variance, 1);
  compare(2, fabs(kurtosis - 3) < error * sqrt(96), kurtosis, 3);
  for (long i = 0; i < n; i++) x[i] = 1;
  RUN(en_dropout, 7, 0, n, (REAL)0.25, x, y);
  for (long i = 0; i < n; i++) kept += (y[i] != 0) / (double)n;
  compare(3, fabs(kept - 0.25) < error * sqrt(0.1875), kept, 0.25);
  RUN(en_uniform, 7, 0, n, y);
  for (long i = 0; i < n; i++) uniformMean += y[i] / (double)n;
  compare(4, fabs(uniformMean - 0.5) < error / sqrt(12), uniformMean, 0.5);
  free_arrays();
}

void TYPED(check_random)(void) {
  const long lengths[] = {0, 1, 2, 3, 7, 16, 17, 33, 1000};
  const unsigned long seeds[] = {0, 1, 42, 0xfedcba9876543210};
  for (long k = 0; k < COUNT(lengths); k++) {
    for (long i = 0; i < COUNT(seeds); i++) {
      check_sequences(seeds[i], 0, lengths[k]);
      check_sequences(seeds[i], 1000002, lengths[k]);
    }
  }
  check_known_numbers();
  check_statistics();
}
