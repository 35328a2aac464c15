#!/usr/bin/env python3
"""Writes what SciPy makes of paired differences, for Tests/EncodeNetTests.

Usage: python3 Scripts/fixtures_statistics.py        (needs scipy; only to regenerate the fixtures)
"""
import json
import pathlib

import numpy as np
from scipy import special, stats

OUT = pathlib.Path(__file__).resolve().parent.parent / "Tests/EncodeNetTests/Fixtures"
OUT.mkdir(exist_ok=True)
random = np.random.default_rng(5)

differences = []
for values in [
    [0.4, 0.9], [0.16, -0.75, 0.31], [1.2, 1.4, 0.9], [-2.0, -1.5, -1.8, -1.1], [0.0, 0.0, 0.0, 1.0],
    list(random.normal(0.3, 1, 8)), list(random.normal(-0.5, 0.4, 12)), list(random.exponential(1, 10)),
]:
    values = [float(f"{v:.6g}") for v in values]
    test = stats.ttest_1samp(values, 0)
    interval = test.confidence_interval(0.95)
    flips = stats.permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf)
    bca = stats.bootstrap((values,), np.mean, n_resamples=200_000, method="BCa", rng=np.random.default_rng(1)) \
        if len(values) > 2 else None
    differences.append({
        "values": values, "p": test.pvalue, "interval": [interval.low, interval.high],
        "flipP": flips.pvalue,
        "bca": None if bca is None or len(values) < 8 else
        [bca.confidence_interval.low, bca.confidence_interval.high],
    })

ps = [0.01, 0.04, 0.03, 0.005, 0.6]
order = np.argsort(ps)
adjusted = np.empty(len(ps))
adjusted[order] = np.minimum(1, np.maximum.accumulate(np.array(ps)[order] * (len(ps) - np.arange(len(ps)))))

(OUT / "statistics.json").write_text(json.dumps({
    "differences": differences,
    "beta": [[x, a, b, special.betainc(a, b, x)] for x, a, b in
             [(0.1, 0.5, 0.5), (0.9, 2, 3), (0.5, 40, 60), (0.001, 1, 0.5), (0.999, 0.5, 30), (0.3, 500, 900)]],
    "quantiles": [[p, n, stats.t.ppf(p, n)] for p, n in [(0.975, 1), (0.975, 2), (0.95, 7), (0.995, 30), (0.6, 3)]],
    "normal": [[p, stats.norm.ppf(p)] for p in [1e-10, 0.025, 0.4, 0.5, 0.975, 0.999999]],
    "holm": [ps, adjusted.tolist()],
    "mcnemar": [[b, c, stats.binomtest(b, b + c).pvalue] for b, c in [(1, 9), (50, 61), (300, 420), (7, 7)]],
}, indent=1) + "\n")
