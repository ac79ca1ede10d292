"""Questions in the tool's own names, asked in those of a serving framework; answers in its names, given back
in the tool's own.

Everything else asks of `ab_test_requests_total` and its like by `model_name`. Here each such selector becomes
those of the framework's metrics (see `families`), with its label for the model, its matchers, and one part
for each metric that is added up; a label of its own tells these parts apart. Bucket edges are scaled to
seconds. What is taken away from a sum is a counter of its own here (see `counting.count`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from live_dashboards.errors import SourceError
from live_dashboards.model.guarded import LabelMatcher
from live_dashboards.model.metrics import EXPORTED
from live_dashboards.model.names import listed
from live_dashboards.model.serving import CountedSeries, ServingMetrics
from live_dashboards.model.snapshot import Accumulated, Answer, PrometheusAnswer
from live_dashboards.sources.prometheus.exchange import Ask, Question
from live_dashboards.sources.prometheus.families import ENDINGS, families, family_of
from live_dashboards.sources.prometheus.promql import MODEL_LABEL, QUOTED, TAKEN, joined, one_of
from live_dashboards.sources.prometheus.reply import Labels, Outcome, Reply, answered
from live_dashboards.sources.queries import ERRORS, LATENCY, quoted

FAMILY_LABEL = "live_dashboards_family"
_NAME, _EDGE = "__name__", "le"
# keeps what a framework calls by the tool's own name for the model
_FORMER = f"live_dashboards_former_{MODEL_LABEL}"
_NOTHING = "(vector(0) < 0)"
_MOST_VALUES, _VALUES_AT_ONCE, _VALUES_SHOWN = 2000, 200, 6
_VALUES_IN_ADDRESS = 50  # proxies take some 8 KB
_VALUE = "value"
_BARE = "bare_"  # before the names of groups of a selector that is no argument
_SELECTOR = "\x00"  # where a selector stands in an expression

_BRACES = rf"\{{(?:[^\"{{}}]|{QUOTED})*\}}"
_MATCHER = re.compile(rf"\s*(?P<label>[a-zA-Z_]\w*)\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>{QUOTED})\s*,?")
_EVERY_OWN = f'{{{_NAME}=~"{EXPORTED.prefix}.+"}}'
_ESCAPED = re.compile(r"\\(.)")
_QUOTED_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
_PLAIN = {"n": "\n", "t": "\t", "r": "\r"}
# what stands for a metric that nothing stands for
_NO_METRIC = {ERRORS: "a counter of failed requests"}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the server has to tell before it is asked: the variant of each value of the model's label, where a
    pattern finds it, and whether series have the tool's own label for something else. `others` are values of
    the label where the pattern finds none (None: they could not be asked); `is_whole`: it finds a variant in
    each that it matches.
    """

    variants: Mapping[str, str]
    has_former: bool
    others: tuple[str, ...] | None = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class _Part:
    """A question to the server, and of which own metric's series its answer is; empty where it is of no one
    alone.
    """

    question: Question
    metric: str = ""
    family: str = ""


class Translator:
    """Asks of the metrics that `names` tells, and of `others` by the same label."""

    def __init__(self, names: ServingMetrics, others: Iterable[str] = ()) -> None:
        self._names = names
        self._families = families(names, others)
        own = "|".join(sorted(map(re.escape, self._families), key=len, reverse=True))
        offset = r"\s+offset\s+[^\s)]+"
        span = rf"(?P<range>\[[^\]]*\])?(?P<offset>{offset})?"
        self._own = re.compile(rf"(?<![\w:])(?:{own})(?![\w:])")
        self._selector = re.compile(_selector_pattern(own))
        self._raw = re.compile(_selector_pattern(own) + span)
        self._found = re.compile(
            rf"(?P<quoted>{QUOTED})|\b(?P<call>[a-z_]+)\({_selector_pattern(own)}{span}\)"
            rf"|{_selector_pattern(own, _BARE)}(?P<{_BARE}offset>{offset})?"
        )
        self._facts: _Facts | None = None
        self._spellings: dict[Decimal, set[str]] = {}  # of edges in seconds: as the server spells them

    @classmethod
    def of_any_server(cls, names: ServingMetrics) -> Translator:
        """For a `form` that no server is asked about: what may stand in the tool's own label is kept."""
        found = cls(names)
        found._facts = _Facts({}, has_former=found._is_renamed)
        return found

    def ask(self, ask: Ask, questions: list[Question]) -> tuple[Outcome, ...]:
        """The outcome of each question, in their order; SourceError where the model's label cannot be
        read.
        """
        if any(map(self._concerns, questions)) and self._facts is None:
            self._facts = self._find_facts(ask)
        shares = [(question, self._parts(question)) for question in questions]
        asked = [part.question for _, parts in shares for part in parts]
        outcomes = iter(ask(asked) if asked else ())
        return tuple(
            self._together(question, [(part, next(outcomes)) for part in parts]) for question, parts in shares
        )

    def form(self, promql: str, *, keeps_name: bool = False) -> str:
        """The PromQL as the server gets it."""

        def translated(found: re.Match[str]) -> str:
            if found["quoted"]:
                return found[0]
            if found["call"] is None:
                ago = found[f"{_BARE}offset"] or ""
                return self._either(found, _BARE, f"{_SELECTOR}{ago}", keeps_name=keeps_name)
            if found["range"] is None and found["call"] != "timestamp":
                bare = f"{_SELECTOR}{found['offset'] or ''}"
                return f"{found['call']}({self._either(found, '', bare, keeps_name=keeps_name)})"
            whole = f"{found['call']}({_SELECTOR}{found['range'] or ''}{found['offset'] or ''})"
            return self._either(found, "", whole, keeps_name=keeps_name)

        found = self._found.sub(translated, promql)
        unit_seconds = self._unit_seconds
        return (
            found
            if unit_seconds == 1 or not self._own.search(promql)
            else re.sub(r"\bhistogram_quantile\(", f"{unit_seconds} * \\g<0>", found)
        )

    def words(self, text: str) -> str:
        """A sentence that names metrics, with the names that people know."""

        def named(found: re.Match[str]) -> str:
            metrics, matchers = self._told(found, "")
            several = [each for metric in metrics for each in self._families.get(metric, ())]
            if any(each.metric in self._families for each in several):
                return found[0]  # a name that is the tool's own, too, would be told again
            if not several:
                return self._no_metric(metrics, found[0])
            if found["braces"] is not None or found["names"] is not None:
                return " + ".join(self._series(each, matchers) for each in several)
            taken = self._families.get(TAKEN.get(metrics[0], ""), ())
            return " - ".join([" + ".join(map(self._plainly, several)), *map(self._plainly, taken)])

        return self._selector.sub(named, text)

    def _plainly(self, series: CountedSeries) -> str:
        return str(replace(series, matchers=(*series.matchers, *self._names.matchers)))

    def _no_metric(self, metrics: tuple[str, ...], text: str) -> str:
        if any(metric.startswith(LATENCY) for metric in metrics):
            return "a metric of response times"
        return _NO_METRIC.get(metrics[0], text) if metrics[0] in self._families else text

    def answer(self, answer: PrometheusAnswer) -> PrometheusAnswer:
        """What was read, with its questions and words in the framework's names."""
        status = answer.status
        return replace(
            answer,
            status=replace(
                status,
                reason=None if status.reason is None else self.words(status.reason),
                fix=None if status.fix is None else self.words(status.fix),
                warnings=tuple(map(self.words, status.warnings)),
                failures=tuple(map(self.words, status.failures)),
            ),
            instants=tuple(map(self._answer, answer.instants)),
            timelines=tuple(map(self._answer, answer.timelines)),
            blocks=tuple(map(self._answer, answer.blocks)),
            versions=self._answer(answer.versions),
            restarts=self._answer(answer.restarts),
            accumulated=tuple(map(self._accumulated, answer.accumulated)),
        )

    @property
    def lack(self) -> str:
        """Why no model is found, where the pattern finds none; empty otherwise."""
        names = self._names
        if names.model_pattern is None or self._facts is None or self._facts.variants:
            return ""
        others = self._facts.others
        values = "" if others is None else f"; the values there are {listed(others, _VALUES_SHOWN) or 'none'}"
        pattern = f"AB_MODEL_PATTERN {names.model_pattern!r}"
        return f"no value of the label {names.model_label} matches {pattern}{values}"

    def _accumulated(self, found: Accumulated) -> Accumulated:
        slices = found.slices
        return replace(
            found,
            totals=tuple(map(self._answer, found.totals)),
            blocks=tuple(map(self._answer, found.blocks)),
            lack=self.words(found.lack),
            slices=None
            if slices is None
            else replace(
                slices,
                blocks=tuple(map(self._answer, slices.blocks)),
                reason=self.words(slices.reason),
            ),
        )

    def _answer(self, answer: Answer) -> Answer:
        return replace(
            answer,
            query=self.form(answer.query),
            reason=None if answer.reason is None else self.words(answer.reason),
            note=self.words(answer.note),
            of_models=tuple((model, self.words(text)) for model, text in answer.of_models),
        )

    @property
    def _unit_seconds(self) -> float:
        return self._names.latency.unit_seconds if self._names.latency is not None else 1.0

    @property
    def _is_renamed(self) -> bool:
        return self._names.model_pattern is not None or self._names.model_label != MODEL_LABEL

    def _concerns(self, question: Question) -> bool:
        return any(self._own.search(text) for text in question.parameters.values()) or (
            question.parameters.get("match[]") == _EVERY_OWN
        )

    def _parts(self, question: Question) -> list[_Part]:
        """What is asked for a question; nothing where no series can stand for what it asks of."""
        text = question.parameters.get("query")
        if not self._concerns(question):
            return [_Part(question)]
        if "metric" in question.parameters:
            return [
                _Part(replace(question, parameters={**question.parameters, "metric": metric}))
                for metric in self._metadata(question.parameters["metric"])
            ]
        if text is None:
            return self._lookups(question)
        raw = self._raw.fullmatch(text)
        if raw is None or raw["range"] is None:
            form = self.form(text, keeps_name=question.keeps_name)
            return [_Part(replace(question, parameters={**question.parameters, "query": form}))]
        parts = []
        for metric, family, selector in self._selectors(raw, ""):
            promql = f"{selector}{raw['range']}{raw['offset'] or ''}"
            parts.append(
                _Part(replace(question, parameters={**question.parameters, "query": promql}), metric, family)
            )
        return parts

    def _lookups(self, question: Question) -> list[_Part]:
        """Names and label sets are looked up of one selector at a time."""
        match = question.parameters["match[]"]
        if match == _EVERY_OWN:
            every = sorted({each.metric for several in self._families.values() for each in several})
            matches = [("", "", f'{{{_NAME}=~"{"|".join((*every, f"{EXPORTED.prefix}.+"))}"}}')]
        else:
            found = self._selector.fullmatch(match)
            matches = [("", "", self._known(match))] if found is None else [*self._short_selectors(found)]
        own = f"label/{MODEL_LABEL}/values"
        path = f"label/{self._names.model_label}/values" if question.path == own else question.path
        return [
            _Part(
                replace(question, path=path, parameters={**question.parameters, "match[]": selector}),
                metric,
                family,
            )
            for metric, family, selector in matches
        ]

    def _known(self, match: str) -> str:
        """A matcher of several names with those of the server for the tool's own."""

        def named(found: re.Match[str]) -> str:
            return "|".join(each.metric for each in self._families[found[0]]) or found[0]

        return self._own.sub(named, match)

    def _metadata(self, metric: str) -> list[str]:
        """Under which names targets declare what stands for a metric, in the format that this name is of."""
        is_whole = metric in self._families
        own = metric if is_whole else f"{metric}_total"
        declared = {
            name
            for each in self._families.get(own, ())
            for name in (each.metric, *(each.metric.removesuffix(end) for end in ENDINGS))
        }
        return sorted({each if is_whole else each.removesuffix("_total") for each in declared})

    def _told(self, found: re.Match[str], of: str) -> tuple[tuple[str, ...], str]:
        """The own metrics of a selector, and what stands in its braces."""
        names = found[f"{of}names"]
        if names is not None:
            return tuple(names.split("|")), found[f"{of}inner"] or ""
        return (found[f"{of}metric"],), (found[f"{of}braces"] or "{}")[1:-1]

    def _selectors(self, found: re.Match[str], of: str) -> Iterator[tuple[str, str, str]]:
        """The own metric, the family where there are several, and the selector of each part."""
        metrics, matchers = self._told(found, of)
        for metric in metrics:
            several = self._families.get(metric)
            if several is None:
                yield "", "", f"{metric}{{{matchers}}}"
                continue
            for each in several:
                yield metric, family_of(each) if len(several) > 1 else "", self._series(each, matchers)

    def _short_selectors(self, found: re.Match[str]) -> Iterator[tuple[str, str, str]]:
        """The same, of many values of the label some at a time: what is looked up stands in an address."""
        metrics, matchers = self._told(found, "")
        values = self._values(_read_matchers(matchers))
        if len(values) <= _VALUES_IN_ADDRESS:
            yield from self._selectors(found, "")
            return
        others = joined(*(str(each) for each in _read_matchers(matchers) if each.label != MODEL_LABEL))
        for metric in metrics:
            several = self._families.get(metric, ())
            for each in several:
                for at in range(0, len(values), _VALUES_IN_ADDRESS):
                    some = one_of(self._names.model_label, values[at : at + _VALUES_IN_ADDRESS])
                    inner = joined(others, some, *map(str, (*each.matchers, *self._names.matchers)))
                    yield metric, family_of(each) if len(several) > 1 else "", f"{each.metric}{{{inner}}}"

    def _either(self, found: re.Match[str], of: str, whole: str, *, keeps_name: bool) -> str:
        """The expression of each part, as one."""
        parts = [
            self._labelled(whole.replace(_SELECTOR, selector), metric, family, keeps_name=keeps_name)
            for metric, family, selector in self._selectors(found, of)
        ]
        if not parts:
            return _NOTHING
        return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"

    def _labelled(self, promql: str, metric: str, family: str, *, keeps_name: bool) -> str:
        if not metric:
            return promql
        if self._is_renamed:
            if self._facts is not None and self._facts.has_former:
                promql = _copied(promql, _FORMER, MODEL_LABEL, "(.+)")
            promql = _copied(
                promql, MODEL_LABEL, self._names.model_label, self._names.model_pattern or "(.+)"
            )
        if family:
            promql = _set(promql, FAMILY_LABEL, family)
        return _set(promql, _NAME, metric) if keeps_name else promql

    def _series(self, series: CountedSeries, matchers: str) -> str:
        """The selector of a family with matchers of the tool's own, and those that are always added."""
        read = _read_matchers(matchers)
        of_model = [each for each in read if each.label == MODEL_LABEL]
        others = (self._scaled_back(each) for each in read if each.label != MODEL_LABEL)
        own = self._of_models(of_model)
        inner = joined(*map(str, (*others, *own, *series.matchers, *self._names.matchers)))
        return f"{series.metric}{{{inner}}}" if inner else series.metric

    def _of_models(self, matchers: list[LabelMatcher]) -> list[LabelMatcher]:
        """Matchers of variants as those of the label's values."""
        label, pattern = self._names.model_label, self._names.model_pattern
        if pattern is None:
            return [replace(each, label=label) for each in matchers]
        values = self._values(matchers)
        if self._facts is None or (len(values) == len(self._facts.variants) and self._facts.is_whole):
            return [LabelMatcher(label, "=~", pattern)]
        if not values:
            return [LabelMatcher(label, "=", ""), LabelMatcher(label, "!=", "")]
        return [LabelMatcher(label, "=~", "|".join(map(re.escape, sorted(values))))]

    def _values(self, matchers: Iterable[LabelMatcher]) -> list[str]:
        """The values of the label whose variants these matchers of models hold; none where no pattern finds
        them.
        """
        own = [each for each in matchers if each.label == MODEL_LABEL]
        variants = self._facts.variants if self._facts is not None else {}
        return sorted(
            value for value, variant in variants.items() if all(each.holds(variant) for each in own)
        )

    def _scaled_back(self, matcher: LabelMatcher) -> LabelMatcher:
        """A matcher of edges in seconds as one of the edges that the server has."""
        if matcher.label != _EDGE or self._unit_seconds == 1:
            return matcher
        texts = [_ESCAPED.sub(r"\1", text) for text in matcher.value.split("|")]
        spelt = sorted({each for text in texts for each in self._spelt(text)})
        if matcher.operator.endswith("~"):
            return replace(matcher, value="|".join(map(re.escape, spelt)))
        return replace(matcher, value=spelt[0])

    def _spelt(self, seconds: str) -> set[str]:
        """How a server may spell an edge: as it has, and as others do."""
        try:
            edge = Decimal(seconds) / Decimal(str(self._unit_seconds))
        except ArithmeticError:
            return {seconds}
        if not edge.is_finite():
            return {seconds}
        plain = f"{edge.normalize():f}"
        own = {plain, f"{float(edge):g}", str(float(edge)), *({f"{plain}.0"} if "." not in plain else ())}
        return own | self._spellings.get(Decimal(seconds), set())

    def _together(self, question: Question, parts: list[tuple[_Part, Outcome]]) -> Outcome:
        """One answer of those of the parts; the failure of one is that of all."""
        replies = []
        for part, outcome in parts:
            if isinstance(outcome, SourceError):
                return outcome
            replies.append(self._read(question, part, outcome))
        if not replies:
            return Reply()
        first, *more = replies
        if not more:
            return first
        return replace(
            first,
            series=tuple(series for reply in replies for series in reply.series),
            histograms=tuple(each for reply in replies for each in reply.histograms),
            names=tuple(sorted({name for reply in replies for name in reply.names})),
            warnings=tuple(dict.fromkeys(text for reply in replies for text in reply.warnings)),
            is_partial=any(reply.is_partial for reply in replies),
        )

    def _read(self, question: Question, part: _Part, reply: Reply) -> Reply:
        """A reply in the tool's own names."""
        if not self._concerns(question):
            return reply
        read = replace(
            reply,
            series=tuple(replace(each, labels=self._labels(each.labels, part)) for each in reply.series),
            histograms=tuple(
                replace(each, labels=self._labels(each.labels, part)) for each in reply.histograms
            ),
        )
        if question.path == f"label/{MODEL_LABEL}/values" and self._names.model_pattern is not None:
            known = self._facts.variants if self._facts is not None else {}
            return replace(read, names=tuple(sorted({known[name] for name in read.names if name in known})))
        if question.path == f"label/{_NAME}/values":
            return replace(
                read, names=tuple(sorted({own for name in read.names for own in self._owns(name)}))
            )
        return read

    def _owns(self, name: str) -> tuple[str, ...]:
        """The own names that a metric stands for; itself where it stands for none."""
        owns = (
            own for own, several in self._families.items() if any(each.metric == name for each in several)
        )
        return tuple(owns) or (() if name in self._families else (name,))

    def _labels(self, told: Labels, part: _Part) -> Labels:
        labels = dict(told)
        if _EDGE in labels and self._unit_seconds != 1:
            labels[_EDGE] = self._edge(labels[_EDGE])
        if part.metric:
            if self._is_renamed:
                if MODEL_LABEL in labels and self._facts is not None and self._facts.has_former:
                    labels[_FORMER] = labels[MODEL_LABEL]
                labels[MODEL_LABEL] = self._variant(labels.get(self._names.model_label, ""))
            if part.family:
                labels[FAMILY_LABEL] = part.family
            if _NAME in labels:
                labels[_NAME] = part.metric
        return tuple(sorted((name, value) for name, value in labels.items() if value))

    def _variant(self, value: str) -> str:
        if self._names.model_pattern is None:
            return value
        return self._facts.variants.get(value, "") if self._facts is not None else ""

    def _edge(self, text: str) -> str:
        """An edge in seconds; other spellings of it stay other ones."""
        try:
            edge = Decimal(text)
        except InvalidOperation:
            return text
        if not edge.is_finite():
            return text
        seconds = str(edge * Decimal(str(self._unit_seconds)))
        self._spellings.setdefault(Decimal(seconds), set()).add(text)
        return seconds

    def _find_facts(self, ask: Ask) -> _Facts:
        names = self._names
        if not self._is_renamed:
            return _Facts({}, has_former=False)
        several = dict.fromkeys(each for series in self._families.values() for each in series)
        selectors = [self._series(each, "") for each in several if not each.metric.endswith(EXPORTED.created)]
        questions = {
            label: [Question(f"label/{label}/values", {"match[]": selector}) for selector in selectors]
            for label in {names.model_label, MODEL_LABEL}
        }
        outcomes = iter(ask([question for each in questions.values() for question in each]))
        known = {
            label: sorted({name for _ in each for name in answered(next(outcomes)).names})
            for label, each in questions.items()
        }
        has_former = bool(known[MODEL_LABEL])
        if names.model_pattern is None:
            return _Facts({}, has_former)
        values = known[names.model_label]
        found = self._matched(ask, values)
        others = () if found else self._some_values(ask)
        return _Facts(found, has_former, others, is_whole=len(found) == len(values))

    def _some_values(self, ask: Ask) -> tuple[str, ...] | None:
        label = self._names.model_label
        (outcome,) = ask(
            [
                Question(
                    f"label/{label}/values", {"match[]": str(self._names.requests.added[0]), "limit": "100"}
                )
            ]
        )
        return None if isinstance(outcome, SourceError) else outcome.names

    def _matched(self, ask: Ask, values: list[str]) -> dict[str, str]:
        """The variant in each value, as the server's own patterns find it."""
        if len(values) > _MOST_VALUES:
            raise SourceError(
                f"AB_MODEL_PATTERN matches {len(values)} values of the label {self._names.model_label}, "
                f"such as {listed(values[:3])}",
                "make the pattern match the paths of the test's variants alone",
                "too_many_values",
            )
        questions = [
            Question("query", {"query": " or ".join(map(self._matching, values[at : at + _VALUES_AT_ONCE]))})
            for at in range(0, len(values), _VALUES_AT_ONCE)
        ]
        return {
            series.label(_VALUE): series.label(MODEL_LABEL)
            for outcome in (ask(questions) if questions else ())
            for series in answered(outcome).series
            if series.label(MODEL_LABEL)
        }

    def _matching(self, value: str) -> str:
        literal = _set("vector(0)", _VALUE, value)
        return _copied(literal, MODEL_LABEL, _VALUE, self._names.model_pattern or "(.+)")


def _selector_pattern(own: str, of: str = "") -> str:
    """What matches a selector of one of these metrics, or of several by their names."""
    named = rf'\{{{_NAME}=~"(?P<{of}names>[\w:|]+)"(?:,\s*(?P<{of}inner>(?:[^\"{{}}]|{QUOTED})*))?\}}'
    return rf"(?:(?<![\w:])(?P<{of}metric>{own})(?![\w:])(?P<{of}braces>{_BRACES})?|{named})"


def _copied(promql: str, label: str, source: str, pattern: str) -> str:
    return f'label_replace({promql}, "{label}", "$1", "{source}", {quoted(pattern)})'


def _set(promql: str, label: str, value: str) -> str:
    return f'label_replace({promql}, "{label}", {quoted(value.replace("$", "$$"))}, "", "")'


def _read_matchers(text: str) -> list[LabelMatcher]:
    return [
        LabelMatcher(each["label"], each["operator"], _unquoted(each["value"]))
        for each in _MATCHER.finditer(text)
    ]


def _unquoted(text: str) -> str:
    """What a label value in a question stands for; questions escape as `quoted` does."""

    def plain(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if len(code) > 1 else _PLAIN.get(code, code)

    return _QUOTED_ESCAPE.sub(plain, text[1:-1])
