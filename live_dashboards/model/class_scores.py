"""What scikit-learn's `score` gives, as autolog logs it of rows that a model has not seen: under
`<Class>_score_<dataset>`. Of a classifier that is the accuracy, of a regressor R², of others something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from live_dashboards.model.metric_words import LESS, NO_SHARE, words_of
from live_dashboards.model.metrics import ACCURACY
from live_dashboards.model.names import escaped, listed
from live_dashboards.model.snapshot import VariantValue

CLASS_SCORE = "^[A-Z][A-Za-z0-9_]*_score_."
"""Matches such a key, in Python's and in PostgreSQL's words."""
R2_OF_TRAINING = "training_r2_score"
"""What autolog logs in the run of a regressor, whatever its class is called."""
SCORER, ACCURACY_SCORERS = "scoring", ("None", ACCURACY)
"""The param in which autolog keeps the scorer of a search such as GridSearchCV, and with which of its values
`score` is the accuracy.
"""
_CLASS_SCORE = re.compile("([A-Z][A-Za-z0-9_]*?)_score_(.+)", re.DOTALL)
_MOST_NAMED = 6

_CLASSIFIER = re.compile(
    r".*(Classifier|ClassifierCV|ClassifierChain|LogisticRegression|LogisticRegressionCV)"
)
# of scikit-learn, whose names do not end so
_CLASSIFIERS = frozenset(
    {
        *("BernoulliNB", "CategoricalNB", "ComplementNB", "GaussianNB", "MultinomialNB"),
        *("LabelPropagation", "LabelSpreading", "LinearDiscriminantAnalysis"),
        *("QuadraticDiscriminantAnalysis", "LinearSVC", "NuSVC", "SVC", "NearestCentroid", "Perceptron"),
    }
)
_REGRESSORS = frozenset(
    {
        *("BayesianRidge", "CCA", "ElasticNet", "ElasticNetCV", "KernelRidge", "Lars", "LarsCV", "Lasso"),
        *("LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "LinearSVR", "NuSVR", "SVR", "Ridge"),
        *("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"),
        *("OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV", "PLSCanonical", "RidgeCV"),
    }
)
# clusters, densities and decompositions, of which `score` is a likelihood or a negative distance
_OTHERS = frozenset(
    {
        *("BayesianGaussianMixture", "BisectingKMeans", "EllipticEnvelope", "EmpiricalCovariance"),
        *("FactorAnalysis", "GaussianMixture", "GraphicalLasso", "GraphicalLassoCV", "KMeans"),
        *("KernelDensity", "LatentDirichletAllocation", "LedoitWolf", "MinCovDet", "MiniBatchKMeans"),
        *("OAS", "PCA", "ShrunkCovariance"),
    }
)


def scored_class(key: str) -> str:
    """The class whose `score` is logged under that key, empty where none is."""
    found = _CLASS_SCORE.fullmatch(key)
    return found[1] if found else ""


def scored_dataset(key: str) -> str:
    """The data set whose `score` is logged under that key, empty where none is."""
    found = _CLASS_SCORE.fullmatch(key)
    return found[2] if found else ""


def is_classifier(name: str) -> bool:
    """Whether a class of that name is one of classifiers; a pipeline, a search or a class of one's own may
    be.
    """
    return name in _CLASSIFIERS or bool(_CLASSIFIER.fullmatch(name))


def is_regressor(name: str) -> bool:
    """Whether a class of that name is one of regressors, whose `score` is R²."""
    return not is_classifier(name) and (name in _REGRESSORS or "regress" in name.lower())


def is_known_no_classifier(name: str) -> bool:
    """Whether a class of that name is one of regressors or of clusters and the like."""
    return is_regressor(name) or name in _OTHERS


def is_no_accuracy(key: str) -> bool:
    """Whether the score under that key is surely no accuracy, as its class is no classifier, or what looks
    like a class is a metric: F1_score_macro, Brier_score_loss.
    """
    name = scored_class(key)
    is_metric = bool(words_of(name) & (LESS | NO_SHARE)) or "ranker" in name.lower()
    return is_known_no_classifier(name) or (is_metric and not is_classifier(name))


def no_accuracy_words(keys: Iterable[str]) -> str:
    """Which of these keys are scores that are no accuracy, and what they are; empty where none is."""
    found = [key for key in keys if is_no_accuracy(key)]
    of_regressors = [escaped(key) for key in found if is_regressor(scored_class(key))]
    others = [escaped(key) for key in found if not is_regressor(scored_class(key))]
    told = (
        f"{listed(of_regressors, _MOST_NAMED)}: R² of a regressor, no accuracy" if of_regressors else "",
        f"{listed(others, _MOST_NAMED)}: no accuracy" if others else "",
    )
    return "; ".join(filter(None, told))


def score_words(values: Iterable[VariantValue]) -> str:
    """Under which key each variant's accuracy is read, where that is the score of a class; empty where none
    is.
    """
    keys: Mapping[str, str] = {each.variant: each.key for each in values if each.metric == ACCURACY}
    dataset = next(filter(None, map(scored_dataset, keys.values())), "")
    if not dataset:
        return ""
    named = [f"{escaped(key)} for {escaped(variant)}" for variant, key in keys.items()]
    return f"{ACCURACY} read as score of {escaped(dataset)}: {listed(named, _MOST_NAMED)}"
