#!/usr/bin/env bash
# MLflow 3.17.2: what scikit-learn's autolog keeps of a data set says how many rows it has of a frame only; of an array it has another key.
#
# Guess, written down before: the profile of a run's evaluation data set has `num_rows` whatever the rows came in, as it is the number behind the accuracy
# that autolog logs of them.
# Seen: of a pandas frame the profile is {"num_rows": 250, "num_elements": 1000}; of the same rows as a NumPy array it is {"features_shape": [250, 4], …}
# without `num_rows`. The accuracy is logged under a key with the data set's name in both, the same number. A reader of `num_rows` finds no n for whoever
# trains on arrays.
# Packages: mlflow 3.17.2, scikit-learn 1.9.1 and what they bring, from PyPI in a folder of its own; a SQLite file as store.
# Exit code 0 while it is so; 1 where the profiles are others.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf -- "$folder"' EXIT
cd -- "$folder"
export HOME="$folder" MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true GIT_PYTHON_REFRESH=quiet PYTHONWARNINGS=ignore
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check mlflow==3.17.2 scikit-learn==1.9.1
environment/bin/python - 2>log <<'PYTHON' || { tail -20 log >&2; exit 1; }
import json

import mlflow
import numpy as np
import pandas as pd
import sklearn.metrics
from sklearn.linear_model import LogisticRegression

mlflow.set_tracking_uri("sqlite:///store.db")
mlflow.set_experiment(experiment_id=mlflow.create_experiment("rows", artifact_location="artifacts"))
mlflow.sklearn.autolog(log_models=False, silent=True)
array = np.random.default_rng(7).normal(size=(1000, 4))
truth = (array[:, 0] > 0).astype(int)
seen = {}
for kind, rows in (("frame", pd.DataFrame(array, columns=list("abcd"))), ("array", array)):
    with mlflow.start_run() as run:
        model = LogisticRegression().fit(rows[:750], truth[:750])
        tested = rows[750:]
        sklearn.metrics.accuracy_score(truth[750:], model.predict(tested))
    stored = mlflow.get_run(run.info.run_id)
    (profile,) = [
        json.loads(each.dataset.profile)
        for each in stored.inputs.dataset_inputs
        if any(tag.value == "eval" for tag in each.tags)
    ]
    logged = {key: value for key, value in stored.data.metrics.items() if key.startswith("accuracy_score")}
    seen[kind] = profile, logged
    print(f"mlflow {mlflow.__version__}, {kind}: profile {profile}, metrics {logged}")
(frame, of_frame), (array_profile, of_array) = seen["frame"], seen["array"]
assert frame == {"num_rows": 250, "num_elements": 1000}, "another profile than was seen"
assert "num_rows" not in array_profile and array_profile["features_shape"] == [250, 4], "another profile than was seen"
assert len(of_frame) == len(of_array) == 1 and set(of_frame.values()) == set(of_array.values()), "other metrics than were seen"
PYTHON
