"""Pulumi's analyzer service over the rules of one pack (pulumi/pulumi: proto/pulumi/analyzer.proto).

The engine asks `Remediate` and `Analyze` before it makes a resource, and `AnalyzeStack` at the end of a preview and of
an `up`. The service stands here in place of the policy SDK's for what that one keeps from a policy
(docs/adr/0017-packs-speak-the-analyzer-protocol.md): which values are secret, the level that it is configured with, and
the rest of the configuration.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from gpufleet.catalog.nearest import nearest_name
from gpufleet.errors import ConfigurationError
from gpufleet.graph.model import STACK_TYPE
from gpufleet.graph.structs import mapping
from gpufleet.graph.wire import plain
from gpufleet.spec import SpecError
from policies import own, waivers, waivers_file
from policies.configuration import ALL, LEVEL, configured
from policies.evaluate import Configured, Judgement, Result, Verdict, defaults, evaluate
from policies.pack_info import info, wire_level, wire_severity
from policies.recording import Recording
from policies.remediation import remediation
from policies.rule import AnyRule, Enforcement, Pack, Scope, Severity
from policies.view import View
from policies.wording import STACKS, Wording

_LEVELS: Final = {
    analyzer_pb2.ADVISORY: Enforcement.ADVISORY,
    analyzer_pb2.MANDATORY: Enforcement.MANDATORY,
    analyzer_pb2.REMEDIATE: Enforcement.REMEDIATE,
    analyzer_pb2.DISABLED: Enforcement.DISABLED,
}
_OWN: Final = {policy.name: policy for policy in own.OWN}
_OF_A_WAIVER: Final = {waivers.Kind.UNUSED, waivers.Kind.EXPIRING}
"""Remarks that need not stop anyone."""
_REASONS: Final = {
    Verdict.NOT_APPLICABLE: "there is nothing that it is about",
    Verdict.UNDECIDED: f"undecided: see {own.UNDECIDED}",
}


def utc_today() -> dt.date:
    """The day that waivers are held against."""
    return dt.datetime.now(dt.UTC).date()


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Serves one run of the engine.

    Args:
        pack: whose rules are asked.
        rules: all rules there are, of every pack: the configuration and the waivers may name any.
        stacks: folder of the stack files and `waivers.yaml`.
        today: the day, in UTC.
    """

    def __init__(
        self,
        pack: Pack,
        rules: Iterable[AnyRule],
        *,
        stacks: Path = STACKS,
        today: Callable[[], dt.date] = utc_today,
    ) -> None:
        self._pack = pack
        self._all = tuple(rules)
        self._rules = tuple(rule for rule in self._all if rule.pack is pack)
        self._stacks = stacks
        self._today = today
        self._recording = Recording()
        self._lock = threading.Lock()
        self._applied: dict[str, tuple[waivers.Applied, ...]] = {}
        self._waivers: waivers.Waivers | None = None
        self._problems_of_waivers = ""
        self._said = False
        self._configure({})

    # ------------------------------------------------------------------------------------------------- the protocol
    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: N802
        """The version is the one in PulumiPolicy.yaml."""
        del request, context
        return plugin_pb2.PluginInfo()

    def GetAnalyzerInfo(self, request: Empty, context: grpc.ServicerContext) -> analyzer_pb2.AnalyzerInfo:  # noqa: N802
        """The pack and its policies."""
        del request, context
        return info(self._pack, self._rules)

    def Handshake(  # noqa: N802
        self, request: analyzer_pb2.AnalyzerHandshakeRequest, context: grpc.ServicerContext
    ) -> analyzer_pb2.AnalyzerHandshakeResponse:
        """The engine's address: nobody here calls it."""
        del request, context
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def ConfigureStack(  # noqa: N802
        self, request: analyzer_pb2.AnalyzerStackConfigureRequest, context: grpc.ServicerContext
    ) -> analyzer_pb2.AnalyzerStackConfigureResponse:
        """The stack's configuration: the rules read what the program made of it."""
        del request, context
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Configure(self, request: analyzer_pb2.ConfigureAnalyzerRequest, context: grpc.ServicerContext) -> Empty:  # noqa: N802
        """`--policy-pack-config`, with the schemas' defaults filled in."""
        del context
        self._configure(request.policyConfig)
        return Empty()

    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:  # noqa: N802
        """Every call is short: there is nothing to break off."""
        del request, context
        return Empty()

    def Remediate(  # noqa: N802
        self, request: analyzer_pb2.AnalyzeRequest, context: grpc.ServicerContext
    ) -> analyzer_pb2.RemediateResponse:
        """Tags, of rules that are told to; this call alone says which inputs are the provider's defaults."""
        del context
        self._recording.defaults(request)
        rules = [rule for rule in self._enabled(Scope.RESOURCE) if self._configured[rule.id].remediate]
        if not rules:
            return analyzer_pb2.RemediateResponse()
        view = self._recording.view(request)
        remediations = (remediation(rule, self._configured[rule.id], view, request) for rule in rules)
        return analyzer_pb2.RemediateResponse(remediations=[one for one in remediations if one is not None])

    def Analyze(  # noqa: N802
        self, request: analyzer_pb2.AnalyzeRequest, context: grpc.ServicerContext
    ) -> analyzer_pb2.AnalyzeResponse:
        """Every rule of scope `RESOURCE`, of one resource."""
        del context
        view = self._recording.record(request)
        above = {node.urn for node in view.graph} - {request.urn}
        results = evaluate(view, self._enabled(Scope.RESOURCE), self._configured)
        applied = self._apply(
            request.urn,
            [one for result in results for one in result.judgements if one.resource not in above],
        )
        with self._lock:
            self._applied[request.urn] = applied
        diagnostics = list(self._diagnostics(applied, view, request.urn))
        if request.type == STACK_TYPE:  # the first resource of all: nothing has been made yet
            diagnostics += self._remarks_on_configuration()
        return analyzer_pb2.AnalyzeResponse(diagnostics=diagnostics, not_applicable=_not_passed(results))

    def AnalyzeStack(  # noqa: N802
        self, request: analyzer_pb2.AnalyzeStackRequest, context: grpc.ServicerContext
    ) -> analyzer_pb2.AnalyzeResponse:
        """Every rule of scope `STACK`, and what stands in the way of any rule."""
        del context
        view, unseen = self._recording.stack(request.resources)
        stack = next((urn for urn in (node.urn for node in view.graph) if urn), "")
        results = evaluate(view, self._enabled(Scope.STACK), self._configured)
        applied = self._apply(stack, [one for result in results for one in result.judgements])
        listed = {node.urn for node in view.graph}
        with self._lock:
            before = tuple(one for urn, found in self._applied.items() if urn in listed for one in found)
        diagnostics = [
            *self._remarks_on_configuration(),
            *(
                self._own(own.INPUTS, "nobody has seen its inputs, so what it is can't be judged", urn)
                for urn in unseen
            ),
            *self._diagnostics(applied, view, ""),
            *self._remarks_on_waivers((*before, *applied), stack),
        ]
        return analyzer_pb2.AnalyzeResponse(
            diagnostics=[one for one in diagnostics if one is not None], not_applicable=_not_passed(results)
        )

    # ---------------------------------------------------------------------------------------------- the configuration
    def _configure(self, given: Mapping[str, analyzer_pb2.PolicyConfig]) -> None:
        self._configured: dict[str, Configured] = {}
        self._own_levels = {policy.name: policy.enforcement for policy in own.OWN}
        self._problems: list[tuple[str, str]] = []
        known = {rule.id for rule in self._all} | _OWN.keys() | {ALL}
        for name in sorted(given.keys() - known):
            near = nearest_name(name, sorted(known))
            self._problems.append((name, f"there is no rule {name}" + (f"; did you mean {near}?" if near else "")))
        for name in _OWN.keys() & given.keys():
            level = _LEVELS[given[name].enforcementLevel]
            self._own_levels[name] = Enforcement.MANDATORY if level is Enforcement.REMEDIATE else level
        for rule in self._rules:
            entry = given.get(rule.id)
            if entry is None:
                self._configured[rule.id] = defaults(rule)
                continue
            values = plain(mapping(entry.properties))
            level = _LEVELS[entry.enforcementLevel]
            if level is Enforcement.REMEDIATE and not rule.remediates:
                level = Enforcement.MANDATORY  # Pulumi's `all: remediate`: what nobody mends must not pass
            content = {**(values if isinstance(values, dict) else {}), LEVEL: level}
            try:
                self._configured[rule.id] = configured(rule, content, None, rule.id)
            except ConfigurationError as error:
                self._problems.append((rule.id, f"{error.message.rstrip('.')}. {error.hint}".rstrip(". ")))

    def _enabled(self, scope: Scope) -> tuple[AnyRule, ...]:
        return tuple(rule for rule in self._rules if rule.scope is scope and rule.id in self._configured)

    def _remarks_on_configuration(self) -> Iterator[analyzer_pb2.AnalyzeDiagnostic]:
        """Once: what is wrong with it, and which mandatory rules nobody asks."""
        with self._lock:
            said, self._said = self._said, True
        if said:
            return
        for _, problem in self._problems:
            yield self._diagnostic(own.CONFIGURATION, Enforcement.MANDATORY, problem)
        disabled = [
            rule.id
            for rule in self._rules
            if rule.enforcement is Enforcement.MANDATORY
            and rule.id in self._configured
            and self._configured[rule.id].enforcement is Enforcement.DISABLED
        ]
        if disabled:
            number = f"{len(disabled)} mandatory rule{'s' if len(disabled) > 1 else ''}"
            yield self._diagnostic(own.CONFIGURATION, Enforcement.ADVISORY, f"disables {number}: {', '.join(disabled)}")

    # ---------------------------------------------------------------------------------------------------- the waivers
    def _apply(self, urn: str, judgements: list[Judgement]) -> tuple[waivers.Applied, ...]:
        return waivers.apply(judgements, self._loaded(), _stack_name(urn))

    def _loaded(self) -> waivers.Waivers:
        with self._lock:
            if self._waivers is None:
                today = self._today()
                try:
                    self._waivers = waivers_file.load(self._stacks / "waivers.yaml", today=today, rules=self._all)
                except SpecError as error:
                    self._problems_of_waivers = "; ".join(str(problem) for problem in error.problems)
                    self._waivers = waivers.Waivers(today=today)
            return self._waivers

    def _remarks_on_waivers(
        self, applied: tuple[waivers.Applied, ...], urn: str
    ) -> Iterator[analyzer_pb2.AnalyzeDiagnostic | None]:
        loaded = self._loaded()
        if self._problems_of_waivers:
            yield self._own(own.WAIVERS, f"no waiver holds: {self._problems_of_waivers}")
        ids = {rule.id for rule in self._rules}
        for remark in waivers.remarks(applied, loaded, _stack_name(urn), ids):
            text = f"{remark.waiver.place}: {remark.message}\nFix: {remark.fix}"
            # As in a check, an expired waiver weighs what the worst weighs that it no longer covers.
            advisory = remark.kind is waivers.Kind.EXPIRED and all(
                self._configured[one.judgement.rule].enforcement is Enforcement.ADVISORY and not one.judgement.raised
                for one in remark.applied
            )
            if advisory or remark.kind in _OF_A_WAIVER:
                yield self._diagnostic(own.WAIVERS, Enforcement.ADVISORY, text)
            else:
                yield self._own(own.WAIVERS, text)

    # ------------------------------------------------------------------------------------------------- the violations
    def _diagnostics(
        self, applied: Iterable[waivers.Applied], view: View, urn: str
    ) -> Iterator[analyzer_pb2.AnalyzeDiagnostic]:
        wording: Wording | None = None
        for one in applied:
            judgement = one.judgement
            wording = wording or Wording(_stack_name(urn or judgement.resource), view.given, self._stacks)
            text = wording.text(judgement)
            found = self._violation(one, text, judgement.resource or urn)
            if found is not None:
                yield found

    def _violation(self, one: waivers.Applied, text: str, urn: str) -> analyzer_pb2.AnalyzeDiagnostic | None:
        judgement = one.judgement
        level = self._configured[judgement.rule].enforcement
        if one.waiver is not None:
            until = f"waived until {one.waiver.expires} ({one.waiver.place}): "
            return self._diagnostic(judgement.rule, Enforcement.ADVISORY, until + text, urn)
        if judgement.raised:
            return self._diagnostic(judgement.rule, Enforcement.MANDATORY, text, urn)
        if judgement.verdict is Verdict.UNDECIDED and level is Enforcement.MANDATORY:
            return self._own(own.UNDECIDED, f"{judgement.rule} {text}", urn)
        return self._diagnostic(judgement.rule, level, text, urn)

    def _own(self, name: str, text: str, urn: str = "") -> analyzer_pb2.AnalyzeDiagnostic | None:
        level = self._own_levels[name]
        return None if level is Enforcement.DISABLED else self._diagnostic(name, level, text, urn)

    def _diagnostic(self, name: str, level: Enforcement, text: str, urn: str = "") -> analyzer_pb2.AnalyzeDiagnostic:
        rule = next((rule for rule in self._rules if rule.id == name), None)
        title = rule.title() if rule else _OWN[name].title
        severity: Severity = rule.severity if rule else _OWN[name].severity
        return analyzer_pb2.AnalyzeDiagnostic(
            policyName=name,
            policyPackName=f"gpufleet-{self._pack}",
            description=title,
            message=f"{title}\n{text}",
            enforcementLevel=wire_level(level),
            urn=urn,
            severity=wire_severity(severity),
        )


def _not_passed(results: Iterable[Result]) -> list[analyzer_pb2.PolicyNotApplicable]:
    """Rules that have passed nothing and say nothing under their own name: the engine would count them as passed."""
    return [
        analyzer_pb2.PolicyNotApplicable(policy_name=result.rule.id, reason=_REASONS[result.verdict])
        for result in results
        if result.verdict in _REASONS
    ]


def _stack_name(urn: str) -> str:
    """`prod` of `urn:pulumi:prod::gpufleet::…`; "" when nothing is known of the stack."""
    return urn.removeprefix("urn:pulumi:").partition("::")[0]
