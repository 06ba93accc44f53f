from __future__ import annotations

import pytest

from gpufleet.sizing.examples import examples
from tests.sizing.write_guide import GUIDES, filled, titles


def test_the_guide_has_the_numbers_that_the_code_computes() -> None:
    texts = [guide.read_text(encoding="utf-8") for guide in GUIDES]
    assert sorted(title for text in texts for title in titles(text)) == sorted(one.title for one in examples())
    assert texts == [filled(text) for text in texts], "run: python -m tests.sizing.write_guide"


def test_the_worked_examples() -> None:
    llama, young, serving, predicted, lustre = examples()
    assert [round(float(figure.value)) for figure in llama.figures] == [419, 332, 719, 1725, 3, 67]
    assert llama.figure("MTBF of the job").value == pytest.approx(3.09, abs=0.01)
    assert [round(float(figure.value)) for figure in young.figures] == [
        *(218, 487, 154, 345, 109, 244, 87, 195, 54, 122, 19, 43)
    ]
    assert serving.figure("chat-70b on Standard_NC40ads_H100_v5").value == "does not fit"
    assert serving.figure("chat-70b on Standard_NC80adis_H100_v5: GPUs of a replica").value == 2
    # 2.3 TiB are 2,528.9 GB: over 30.72, 16, 32 and 64 GB/s at the default maximum of each SKU.
    seconds = {figure.name: float(figure.value) for figure in lustre.figures}
    assert seconds["768 TiB of AMLFS-Durable-Premium-40"] == pytest.approx(2528.88 / 30.72, rel=1e-5)
    assert seconds["128 TiB of AMLFS-Durable-Premium-125"] == pytest.approx(2528.88 / 16, rel=1e-5)
    assert seconds["128 TiB of AMLFS-Durable-Premium-250"] == pytest.approx(2528.88 / 32, rel=1e-5)
    assert seconds["128 TiB of AMLFS-Durable-Premium-500"] == pytest.approx(2528.88 / 64, rel=1e-5)
    errors = [(one.name.partition(" fp8 on ")[0], round(float(one.inputs[2].value))) for one in predicted.figures]
    assert errors == [
        *(("Llama 2 70B", percent) for percent in (-6, -5, 18, 31, 68)),
        *(("Mixtral 8x7B", percent) for percent in (4, -5)),
        *(("GPT-J 6B", percent) for percent in (-13, 6)),
        *(("Llama 3.1 8B", percent) for percent in (-21, -6)),
        *(("DeepSeek-R1", percent) for percent in (180, -67)),
        ("Qwen2.5-Coder-32B", -17),
    ]
