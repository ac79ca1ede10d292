"""The published statistics: what the dashboards conclude with, for use without them. Standard library only;
every function names its source.

Proportions are fractions, counts are `Counts(events, n)`, and a difference is treatment minus control.

- one look: `sample_ratio`, `difference`, `ratio`, `non_inferiority`, `score_test`, `fisher_exact`, `wilson`,
  `chance_to_beat`, `required_n_per_arm`, `welch`
- within blocks of time: `stratified_difference` for one look, `stratified_sequence` however often one looks,
  `overdispersion`, `long_run_variance`
- however often one looks: `confidence_sequence`, `difference_so_far`, `proportion_so_far`,
  `error_count_test`, `traffic_split_test`, `segmented_split_test`
- response times from buckets: `bucket_quantile`, `quantile_interval`, `compare_buckets`
- several comparisons: `adjust`
"""

from __future__ import annotations

from live_dashboards.analysis.facts.retraining import welch
from live_dashboards.analysis.statistics.latency import bucket_quantile, compare_buckets, quantile_interval
from live_dashboards.analysis.statistics.proportions import (
    Bayesian,
    Comparison,
    Counts,
    NonInferiority,
    SampleRatio,
    adjust,
    chance_to_beat,
    difference,
    fisher_exact,
    non_inferiority,
    normal_quantile,
    ratio,
    required_n_per_arm,
    sample_ratio,
    score_test,
    wilson,
)
from live_dashboards.analysis.statistics.sequential import (
    confidence_sequence,
    difference_so_far,
    error_count_test,
    proportion_so_far,
    segmented_split_test,
    traffic_split_test,
)
from live_dashboards.analysis.statistics.stratified import (
    long_run_variance,
    overdispersion,
    stratified_difference,
    stratified_sequence,
)

__all__ = [
    "Bayesian",
    "Comparison",
    "Counts",
    "NonInferiority",
    "SampleRatio",
    "adjust",
    "bucket_quantile",
    "chance_to_beat",
    "compare_buckets",
    "confidence_sequence",
    "difference",
    "difference_so_far",
    "error_count_test",
    "fisher_exact",
    "long_run_variance",
    "non_inferiority",
    "normal_quantile",
    "overdispersion",
    "proportion_so_far",
    "quantile_interval",
    "ratio",
    "required_n_per_arm",
    "sample_ratio",
    "score_test",
    "segmented_split_test",
    "stratified_difference",
    "stratified_sequence",
    "traffic_split_test",
    "welch",
    "wilson",
]
