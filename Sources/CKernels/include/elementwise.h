#pragma once
#include "multiversion.h"

/// y[i] += a · x[i]
OVERLOADED void en_axpy(long n, float a, const float *x, float *y);
OVERLOADED void en_axpy(long n, double a, const double *x, double *y);
