"""Words in the names of metrics, as libraries give them, that tell what a metric is not."""

from __future__ import annotations

import re
from string import digits

from live_dashboards.model.metrics import ACCURACY, METRICS

# words of the names that scikit-learn, MLflow, LightGBM, XGBoost, Keras and torchmetrics give what they log
LESS = frozenset(
    {
        *("error", "errors", "err", "loss", "losses", "logloss", "mlogloss", "mse", "rmse", "mae", "mape"),
        *("smape", "wmape", "msle", "rmsle", "nll", "deviance", "perplexity", "brier", "bouldin", "wer"),
        *("cer", "toxicity", "latency", "merror", "entropy", "divergence", "regret", "distance", "fpr"),
        *("fnr", "fallout", "misclassification", "wape", "mase", "ece", "std", "stddev", "drop", "gap"),
        *("nrmse", "nmse", "rmspe", "mspe", "mdape", "medae", "mdae", "crps", "pinball", "bce", "kld", "ppl"),
        *("eer", "fid", "wasserstein", "hausdorff", "chamfer"),
    }
)
"""Of what is the better the less."""

# neither an error nor a loss, and no share of the test rows
NO_SHARE = frozenset(
    {
        *(name for name in METRICS if name != ACCURACY),
        *("auc", "aucpr", "r2", "d2", "f2", "fbeta", "ndcg", "dcg", "map", "mrr", "kappa", "mcc"),
        *("matthews", "iou", "dice", "jaccard", "bleu", "rouge", "rouge1", "rouge2", "rougel", "rougelsum"),
        *("meteor", "silhouette", "balanced", "variance", "lift", "correlation", "pearson", "spearman"),
        *("gini", "similarity", "sensitivity", "specificity", "tpr", "tnr", "auroc", "auprc", "rocauc"),
        *("prauc", "f1score", "fscore", "rsquared", "psnr", "ssim", "chrf", "bertscore", "youden"),
    }
)
"""Of what is no share of test rows."""


def words_of(key: str) -> frozenset[str]:
    """The words of a key, also those of valLoss and testRMSE, and acc5 as acc, too."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    words = re.split(r"[^a-z0-9]+", f"{key} {parted}".lower())
    return frozenset((*words, *(word.rstrip(digits) for word in words)))
