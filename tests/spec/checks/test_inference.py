from __future__ import annotations

from gpufleet.catalog import regions
from tests.spec.environments import GONE, Case, cases, changed, environment, judge, verdict


@cases(
    Case(
        "nothing at all",
        {("training",): [], ("inference",): GONE},
        "",
        "has neither training nor inference: there is nothing to make",
        {("inference",): GONE},
    ),
)
def test_inference(case: Case) -> None:
    judge(case)


def test_more_regions_than_an_origin_group_holds() -> None:
    pool = environment()["inference"]["regions"][0]["pools"][0]
    names = [name for name in regions.names() if regions.offers("Standard_D4ds_v5", name)][:51]
    serving = [{"name": name, "pools": [pool]} for name in names]
    value = changed({("inference", "regions"): serving, ("allowedRegions",): [*names, "eastus"], ("training",): []})
    assert ("inference.regions", "51 regions exceed the 50 origins of a Front Door origin group") in [
        (problem.key, problem.message) for problem in verdict(value)
    ]
    fewer = changed({("inference", "regions"): serving[:50]}, value)
    assert "inference.regions" not in [problem.key for problem in verdict(fewer)]
