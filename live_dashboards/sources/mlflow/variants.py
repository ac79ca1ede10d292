"""Which variant a run is of: where AB_VARIANT_FROM says to look, and what the registry knows of a run that
says nothing itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from live_dashboards.model.setting_types import VariantWay
from live_dashboards.model.variants import CHAMPION
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters, Questions, Row

LOGGED = frozenset({"param", "tag"})
"""The kinds of ways that a run itself holds."""

MODEL = "model"
"""The kind of the last way, which no setting names: the variant of the models that a run measured."""

_LONGEST_TEXT, _BLANKS = 250, " \t\r\n\f\x0b"
MODEL_TABLES = ("logged_models", "logged_model_params", "logged_model_tags", "logged_model_metrics")
REGISTRY_TABLES = ("model_versions", "registered_model_aliases")
_REGISTRY = {
    "alias": ("aliases", sql.ALIASED, REGISTRY_TABLES),
    "model_name": ("model names", sql.MODEL_NAMES, REGISTRY_TABLES[:1]),
}


def way_parameters(ways: Sequence[VariantWay]) -> dict[str, Any]:
    """What questions are bound to that ask for variants; `known` are variants of runs by kind of way, which
    nobody has been asked for yet.
    """
    names = {f"variant_key_{place}": way.name for place, way in enumerate(ways)}
    return {"variant_ways": (*ways, VariantWay(MODEL)), "known": {}, **names}


def with_known(parameters: Parameters, known: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """With these variants of runs, by kind of way, beside those known already."""
    found = {**parameters["known"], **{kind: dict(variants) for kind, variants in known.items() if variants}}
    texts = {f"known_{kind}": json.dumps(variants, ensure_ascii=False) for kind, variants in found.items()}
    return {**parameters, "known": found, **texts}


def known_runs(parameters: Parameters) -> list[str]:
    """The runs whose variant is known by what others hold, sorted."""
    return sorted({run_id for variants in parameters["known"].values() for run_id in variants})


def variant_of(
    run_id: str, params: Mapping[str, str], tags: Mapping[str, str], parameters: Parameters
) -> tuple[str | None, int]:
    """The first variant that a way leads to, and that way's place; None where all are blank or not there."""
    known = parameters["known"]
    for place, way in enumerate(parameters["variant_ways"]):
        logged = {"param": params, "tag": tags}.get(way.kind)
        text = known.get(way.kind, {}).get(run_id) if logged is None else logged.get(way.name)
        if found := trimmed(text):
            return found, place
    return None, 0


def trimmed(text: str | None) -> str | None:
    """Without what is too long to be a name, and without the blanks around it; None where nothing is left."""
    return (text or "")[:_LONGEST_TEXT].strip(_BLANKS) or None


def first_registry(connection: Questions, parameters: Parameters) -> tuple[dict[str, Any], list[str]]:
    """With what the registry knows of ways that come before a param or tag, which may know another variant
    of the same run; and the grants that are lacking.
    """
    ways = parameters["variant_ways"]
    last = max((place for place, way in enumerate(ways) if way.kind in LOGGED), default=len(ways))
    return _asked(connection, parameters, ways[:last])


def whole_registry(connection: Questions, parameters: Parameters) -> tuple[dict[str, Any], list[str]]:
    """With what the registry knows of all ways, and the grants that are lacking."""
    return _asked(connection, parameters, parameters["variant_ways"])


def without_rights(connection: Questions, parameters: Parameters, tables: Sequence[str]) -> str | None:
    """The grant that the role lacks to read these tables; empty where it may, None where there are none."""
    rows = connection.optional_rows("rights", sql.RIGHTS, {**parameters, "asked_tables": list(tables)})
    is_there, is_readable, user = (rows or [(False, False, "")])[0]
    if not is_there:
        return None
    if is_readable:
        return ""
    return f'grant select on {", ".join(tables)} to "{user}"'


def said(ways: Sequence[VariantWay]) -> str:
    """What a run must have, in words: `param or tag model_variant`."""
    kinds: dict[str, list[str]] = {}
    for way in ways:
        if way.kind in LOGGED:
            kinds.setdefault(way.name, []).append(way.kind)
    logged = [f"{' or '.join(of_name)} {name}" for name, of_name in kinds.items()]
    if logged:
        return " or ".join(logged)
    return " or ".join(_OF_REGISTRY[way.kind] for way in ways if way.kind in _OF_REGISTRY)


_OF_REGISTRY = {"alias": "registered model version with an alias", "model_name": "registered model version"}


def key(ways: Sequence[VariantWay]) -> str:
    """What has two values in an A/B test, in words: `model_variant`."""
    names = dict.fromkeys(way.name for way in ways if way.kind in LOGGED)
    return " or ".join(names) or " or ".join(way.words for way in ways if way.kind in _OF_REGISTRY)


def _asked(
    connection: Questions, parameters: Parameters, ways: Iterable[VariantWay]
) -> tuple[dict[str, Any], list[str]]:
    found, grants = {}, []
    for way in ways:
        if way.kind in _REGISTRY and way.kind not in parameters["known"]:
            question, text, tables = _REGISTRY[way.kind]
            grant = without_rights(connection, parameters, tables)
            if grant == "":
                found[way.kind] = _by_run(connection.optional_rows(question, text, parameters) or ())
            elif grant:
                grants.append(grant)
    return with_known(parameters, found), grants


def _by_run(rows: Iterable[Row]) -> dict[str, str]:
    """The name that each run's model has: of several aliases champion, else the first by name; of several
    models, the newest version's.
    """
    found: dict[str, str] = {}
    for run_id, text in rows:
        name = trimmed(text)
        if name is not None and (run_id not in found or name == CHAMPION):
            found[run_id] = name
    return found
