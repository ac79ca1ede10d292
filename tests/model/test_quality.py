"""Which way what is logged is better, and whether it is a share of test rows: by its name, its values and the settings."""

import pytest

from live_dashboards.model.class_scores import is_no_accuracy
from live_dashboards.model.metrics import ACCURACY, ACCURACY_OVER_RUNS, METRICS
from live_dashboards.model.quality import PLAIN, Quality, quality_of

ERRORS = [
    *("rmse", "root_mean_squared_error", "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "max_error"),
    *("log_loss", "val_loss", "test/loss", "training.mse", "valid_0-binary_logloss", "l2", "mean_pinball_loss", "hinge_loss", "hamming_loss"),
    *("valid_0-l2", "valid_0-l1", "wape", "mase", "ece", "negative_log_likelihood", "testRMSE", "valLoss", "accuracy_std", "accuracy_drop"),
    *("mean_poisson_deviance", "brier_score", "brier_score_loss", "davies_bouldin_score", "perplexity/mean", "toxicity/v1/mean", "coverage_error", "MAE"),
]
SCORES = [
    "r2_score",
    "r2",
    "roc_auc",
    "precision_recall_auc",
    "neg_mean_squared_error",
    "neg_log_loss",
    "d2_absolute_error_score",
    "f1_score",
    "ndcg_at_3",
    "rougeL/v1/mean",
]
WRONG_SHARES = ["valid_0-binary_error", "merror", "multi_error", "zero_one_loss", "test_error_rate", "misclassification_rate"]
RIGHT_SHARES = ["accuracy", "accuracy_score", "val_acc", "eval/accuracy", "top_k_accuracy_score", "testAccuracy"]


def auto(key, limits=(0.1, 0.9)):
    return quality_of(key, "auto", "auto", "auto", limits)


@pytest.mark.parametrize("key", ERRORS)
@pytest.mark.parametrize("limits", [(0.1, 0.9), (20.4, 31.2), (390.0, 980.0), None])
def test_errors_and_losses_are_values_of_which_less_is_better(key, limits):
    assert auto(key, limits) == Quality(key, "lower", "value")


@pytest.mark.parametrize("key", SCORES)
def test_scores_that_are_no_share_of_rows_are_values_of_which_more_is_better(key):
    assert auto(key) == Quality(key, "higher", "value")


@pytest.mark.parametrize("key", WRONG_SHARES)
def test_shares_of_wrong_answers_are_shares_of_which_less_is_better(key):
    assert auto(key) == Quality(key, "lower", "share")


@pytest.mark.parametrize("key", RIGHT_SHARES)
@pytest.mark.parametrize("limits", [(0.1, 0.9), (20.4, 81.2), None])
def test_shares_of_right_answers_are_shares_of_which_more_is_better(key, limits):
    assert auto(key, limits) == Quality(key, "higher", "share")


OWN_NAMES = [
    *("my_accuracy_v2", "fraud_f1", "f1_fraud_v3", "prod-rmse", "accuracy2", "acc5", "top1", "recall_at_5", "recall5", "ndcg10", "mAP50", "auc_1", "val_auroc"),
    *("churnAuc", "macro_f1score", "nrmse", "rmse_log", "weekly_mape", "r2_adj", "neg_rmse", "test_ppl", "holdout_bce", "wer_v2", "checkout_error_rate"),
]


@pytest.mark.parametrize("key", OWN_NAMES)
def test_names_that_people_give_are_known_by_their_words(key):
    assert not auto(key).is_assumed
    assert auto(key).unknown_direction == ""


@pytest.mark.parametrize(
    ("key", "goal", "kind"),
    [("auroc", "higher", "value"), ("acc5", "higher", "share"), ("mAP50", "higher", "value"), ("nrmse", "lower", "value"), ("merror2", "lower", "share")],
)
def test_words_with_a_number_and_run_together_are_what_they_are_without(key, goal, kind):
    assert (auto(key).goal, auto(key).kind) == (goal, kind)


@pytest.mark.parametrize("key", ["my_cost", "quality_index", "kpi", "revenue_per_visit", "x", "l", "f", "7"])
def test_a_name_that_says_nothing_has_no_direction(key):
    found = auto(key)
    assert found.is_assumed
    assert found.unknown_direction.endswith("is better is not known: set AB_ACCURACY_GOAL to higher or lower")
    assert not found.is_like_accuracy
    assert not found.metric().is_direction_known
    assert not quality_of(key, "lower", "auto", "auto", (0, 1)).is_assumed


@pytest.mark.parametrize(("limits", "kind"), [((0.2, 0.9), "share"), ((20, 90), "value"), ((-0.1, 0.9), "value"), ((20, 130), "value"), (None, "share")])
def test_a_name_that_says_nothing_is_told_by_its_values_and_its_direction_is_assumed(limits, kind):
    assert auto("quality_index", limits) == Quality("quality_index", "higher", kind, is_assumed=True)


@pytest.mark.parametrize(("limits", "kind"), [((0.4, 0.9), "share"), ((3.1, 4.2), "value")])
@pytest.mark.parametrize("key", ["correctness/mean", "answer_correctness/v1/mean", "exact_match/v1", "faithfulness/v1/mean"])
def test_a_judges_share_of_right_answers_is_one_and_its_marks_from_1_to_5_are_none(key, limits, kind):
    assert auto(key, limits) == Quality(key, "higher", kind)


def test_settings_overrule_names():
    assert quality_of("rmse", "higher", "share", "auto", (20, 30)) == Quality("rmse", "higher", "share")
    assert quality_of("accuracy", "lower", "value", "auto", (0, 1)) == Quality("accuracy", "lower", "value")
    assert quality_of("quality_index", "lower", "auto", "auto", (0, 1)) == Quality("quality_index", "lower", "share")


@pytest.mark.parametrize("unit", ["fraction", "percent"])
def test_a_unit_that_is_set_makes_a_share_of_what_has_no_telling_name(unit):
    assert quality_of("pass_rate_of_cases", "auto", "auto", unit, (-3, 400)).kind == "share"
    assert quality_of("rmse", "auto", "auto", unit, (0.3, 0.4)) == Quality("rmse", "lower", "value")


def test_the_accuracy_itself_is_the_catalogues_entry_under_whatever_key():
    assert PLAIN.metric() is METRICS[ACCURACY]
    assert auto("val_acc").metric() is METRICS[ACCURACY]


def test_another_metric_has_its_keys_title_its_unit_and_its_direction():
    found = auto("rmse").metric()
    assert (found.title, found.words, found.unit, found.difference_unit, found.is_higher_better, found.n) == ("rmse", "rmse", "as_logged", "as_logged", False, None)
    over = auto("rmse").metric(ACCURACY_OVER_RUNS)
    assert (over.name, over.title, over.row_title, over.unit) == (ACCURACY_OVER_RUNS, "rmse over runs", "– over runs", "as_logged")
    wrong = auto("merror").metric()
    assert (wrong.title, wrong.unit, wrong.difference_unit, wrong.is_higher_better) == ("merror", "percent", "points", False)
    assert wrong.n is not None


@pytest.mark.parametrize(
    ("key", "improvement", "words"), [("rmse", 2.25, "2.25 lower"), ("rmse", -0.5, "0.5 higher"), ("r2", 0.02, "0.02 higher"), ("r2", 0.0, "unchanged")]
)
def test_an_improvement_of_a_value_is_said_as_what_the_value_does(key, improvement, words):
    assert auto(key).moved(improvement) == words


def test_a_long_key_is_cut_and_a_hostile_one_is_one_line():
    assert len(auto("a" * 250).metric().title) == 40
    assert "\n" not in auto("rm\nse").metric().title


CAPITALS = {
    **dict.fromkeys(("Brier_score_loss", "MSE_score_val"), ("lower", "value")),
    **dict.fromkeys(("F1_score_macro", "Ridge_score_X_test"), ("higher", "value")),
    "SVC_score_X_test": ("higher", "share"),
}
NO_CLASSES = ("Brier_score_loss", "F1_score_macro", "AUC_score_test", "R2_score_x", "XGBRanker_score_X_test", "RandomForestRegressorV2_score_X_test")


@pytest.mark.parametrize(("key", "goal", "kind"), [(key, *told) for key, told in CAPITALS.items()])
def test_a_metric_that_is_written_like_a_class_is_none(key, goal, kind):
    found = quality_of(key, "auto", "auto", "auto", None)
    assert (found.goal, found.kind, found.is_assumed) == (goal, kind, False)


@pytest.mark.parametrize("key", NO_CLASSES)
def test_such_a_key_is_never_read_as_an_accuracy_by_itself(key):
    assert is_no_accuracy(key)
    assert not any(map(is_no_accuracy, ("SVC_score_loss_data", "Pipeline_score_X_test", "GridSearchCV_score_X_test", "OwnModel_score_test")))
