"""What the runs log of a model's quality under AB_ACCURACY_METRIC's key: which way is better, and whether it
is a share of test rows or a value of its own unit, as an error or a loss is.

A greater error is no better accuracy: whoever names a key that is not known here says both by
AB_ACCURACY_GOAL and AB_ACCURACY_KIND.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from live_dashboards.model.class_scores import is_classifier, is_known_no_classifier, scored_class
from live_dashboards.model.metric_words import LESS, NO_SHARE, words_of
from live_dashboards.model.metrics import ACCURACY, METRICS, TEST_ROWS, Metric, metric_of
from live_dashboards.model.names import escaped
from live_dashboards.model.number import format_number

HIGHER, LOWER = "higher", "lower"
SHARE, VALUE = "share", "value"
AS_LOGGED = "as_logged"
"""The unit of a value."""
FEWEST_RUNS = 3
"""Of each variant that an interval over runs takes."""
_LONGEST_TITLE = 40

_LESS_ALONE = frozenset({"l1", "l2", "huber", "quantile", "poisson", "tweedie", "fair"})
_LETTERS = frozenset({"l"})  # of l1 and l2
_PREFIXES = frozenset({"", "valid", "val", "validation", "test", "eval", "train", "training"})
_MORE = frozenset(
    {
        *(name for name, metric in METRICS.items() if metric.is_higher_better),
        *("accuracy", "acc", "correct", "correctness", "score", "f2", "fbeta"),
        *("auc", "aucpr", "r2", "d2", "ndcg", "dcg", "map", "mrr", "kappa", "mcc", "matthews", "iou", "dice"),
        *("jaccard", "bleu", "rouge", "rouge1", "rouge2", "rougel", "rougelsum", "meteor", "silhouette"),
        *("match", "hit", "hits", "safety", "relevance", "groundedness", "adherence", "sufficiency", "gini"),
        *("equivalence", "variance", "lift", "correlation", "pearson", "spearman", "sensitivity", "tpr"),
        *("specificity", "tnr", "similarity", "faithfulness", "completeness", "fluency"),
        *("auroc", "auprc", "rocauc", "prauc", "f1score", "fscore", "rsquared", "psnr", "ssim", "chrf"),
        *("bertscore", "youden", "hitrate", "top"),
    }
)
_WRONG_SHARE = re.compile(
    r"(^|[^a-z])((binary|multi|zero_one|classification)_(error|loss)|merror|error_rate|misclassification"
    r"(_rate)?)([^a-z]|$)"
)
_RIGHT_SHARE = frozenset({"accuracy", "acc"})


@dataclass(frozen=True, slots=True)
class Quality:
    """What stands in the place of the accuracy: MLflow's key, which way is better (`higher`, `lower`), and
    whether it is a `share` of test rows, shown in percent, or a `value` as it is logged.

    `is_assumed`: neither a setting nor the key's name tells which way is better, so that nothing may be
    concluded from the goal. `is_score`: it is the `score` of classifiers, which is the accuracy.
    """

    key: str
    goal: str = HIGHER
    kind: str = SHARE
    is_assumed: bool = False
    is_score: bool = False

    @property
    def is_share(self) -> bool:
        """Whether its values are percent, with intervals by test rows."""
        return self.kind == SHARE

    @property
    def unit(self) -> str:
        """The unit of its measurements."""
        return "percent" if self.is_share else AS_LOGGED

    @property
    def is_like_accuracy(self) -> bool:
        """Whether it is a share of which more is better, so that an online accuracy may stand beside it."""
        return self.is_share and self.goal == HIGHER and not self.is_assumed

    @property
    def unknown_direction(self) -> str:
        """That it is not known which way is better, and what to set; empty where it is known."""
        if not self.is_assumed:
            return ""
        return f"which way {self._title} is better is not known: set AB_ACCURACY_GOAL to {HIGHER} or {LOWER}"

    def metric(self, name: str = ACCURACY) -> Metric:
        """The catalogue's entry of that name for it, as titles, units and directions follow from it."""
        is_named_so = self.is_score or bool(words_of(self.key) & _RIGHT_SHARE)
        is_accuracy = self.is_like_accuracy and is_named_so
        entry = metric_of(name)
        if name == ACCURACY and is_accuracy:
            return entry
        its_own = METRICS[ACCURACY].title
        title = entry.title if is_accuracy else entry.title.replace(its_own, self._title)
        return Metric(
            name,
            title,
            self.unit,
            is_higher_better=self.goal == HIGHER,
            n=TEST_ROWS if name == ACCURACY and self.is_share else None,
            words="" if is_accuracy else title,
            row_title=title if name == ACCURACY else entry.row_title,
            is_direction_known=not self.is_assumed,
        )

    @property
    def _title(self) -> str:
        text = escaped(self.key)
        return text if len(text) <= _LONGEST_TITLE else f"{text[: _LONGEST_TITLE - 1]}…"

    @property
    def per_unit(self) -> str:
        """What an amount for one unit of a value is for: `per unit of rmse`."""
        return f"per unit of {self._title}"

    def moved(self, improvement: float) -> str:
        """An improvement of a value, in its own unit, as what the value does: `2.3 lower`."""
        if improvement == 0:
            return "unchanged"
        is_higher = (improvement > 0) is (self.goal == HIGHER)
        return f"{format_number(abs(improvement), AS_LOGGED)} {HIGHER if is_higher else LOWER}"

    @property
    def said(self) -> str:
        """What it is, in words: `rmse is a value, of which less is better`."""
        kind, metric = "a value" if self.kind == VALUE else "a share of test rows", self.metric()
        way = f", of which {metric.better_words}" if metric.is_direction_known else f"; {metric.better_words}"
        return f"{metric.title} is {kind}{way}"


PLAIN = Quality("accuracy")
"""The accuracy itself."""


def quality_of(key: str, goal: str, kind: str, unit: str, limits: tuple[float, float] | None) -> Quality:
    """What is logged under that key, by the settings' goal, kind and unit, of which `auto` goes by the key's
    name and by `limits`, the lowest and highest value logged, None where none is known.
    """
    goal_by_name, kind_by_name = _by_class(key) or _by_name(key)
    found_kind = kind if kind != "auto" else kind_by_name
    if not found_kind:
        # a judge's marks from 1 to 5 are no percent
        is_fraction = limits is None or (limits[0] >= 0 and limits[1] <= 1)
        found_kind = SHARE if unit != "auto" or is_fraction else VALUE
    return Quality(
        key,
        goal if goal != "auto" else goal_by_name or HIGHER,
        found_kind,
        is_assumed=goal == "auto" and not goal_by_name,
        is_score=is_classifier(scored_class(key)),
    )


class AccuracySettings(Protocol):
    """The settings by name."""

    def __getitem__(self, name: str, /) -> Any: ...


def quality_by(settings: AccuracySettings, key: str, limits: tuple[float, float] | None = None) -> Quality:
    """The same by AB_ACCURACY_GOAL, _KIND and _UNIT."""
    goal, kind, unit = (settings[f"AB_ACCURACY_{name}"] for name in ("GOAL", "KIND", "UNIT"))
    return quality_of(key, goal, kind, unit, limits)


def quality_read(
    settings: AccuracySettings, keys: Sequence[str], limits: tuple[float, float] | None = None
) -> Quality:
    """The same of the keys that the variants' accuracies are read under. Scores of classes are read without a
    setting only where they are those of classifiers, be it of a pipeline or of a class of one's own.
    """
    is_score = settings[METRICS[ACCURACY].setting] is None and any(map(scored_class, keys))
    if not is_score:
        return quality_by(settings, keys[0], limits)
    goal, kind = (settings[f"AB_ACCURACY_{name}"] for name in ("GOAL", "KIND"))
    key = ", ".join(dict.fromkeys(keys))
    return Quality(key, HIGHER if goal == "auto" else goal, SHARE if kind == "auto" else kind, is_score=True)


def is_of_training(key: str) -> bool:
    """Whether it is logged of the rows that a model was trained with, as autolog does."""
    return bool(words_of(key) & {"training", "train"})


def _by_class(key: str) -> tuple[str, str] | None:
    """Goal and kind of the `score` of a class that is known, of which more is always better; None of others:
    Brier_score_loss is no score of a class.
    """
    if is_classifier(scored_class(key)):
        return HIGHER, SHARE
    return (HIGHER, VALUE) if is_known_no_classifier(scored_class(key)) else None


def _by_name(key: str) -> tuple[str, str]:
    """Goal and kind that the words of the key tell; each is empty where they do not."""
    words, is_wrong_share = words_of(key), bool(_WRONG_SHARE.search(key.lower()))
    goal = _goal_by_name(words, is_wrong_share=is_wrong_share)
    return goal, _kind_by_name(words, goal, is_wrong_share=is_wrong_share)


def _goal_by_name(words: frozenset[str], *, is_wrong_share: bool) -> str:
    """Empty where the name says nothing. scikit-learn's scorers begin with neg_ where less would be better,
    and its D² scores are shares of an error that is explained.
    """
    if "neg" in words or "d2" in words:
        return HIGHER
    alone = {word for word in words - _PREFIXES if not word.isdigit() and word not in _LETTERS}
    if is_wrong_share or words & LESS or (alone and alone <= _LESS_ALONE):
        return LOWER
    if {"negative", "likelihood"} <= words:
        return LOWER
    return HIGHER if words & _MORE else ""


def _kind_by_name(words: frozenset[str], goal: str, *, is_wrong_share: bool) -> str:
    """Empty where the name says nothing."""
    if is_wrong_share:
        return SHARE
    if goal == LOWER or words & NO_SHARE or "neg" in words:
        return VALUE
    return SHARE if words & _RIGHT_SHARE else ""
