"""One thread, as several test processes may share the machine; published models without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # these networks are small
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def offline() -> Iterator[None]:
    """Nothing is asked of the hub."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        import huggingface_hub.constants

        patch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders ``clip`` and ``siglip`` as somebody might have published them."""
    from tests.baselines.tiny_clip import publish

    return publish(tmp_path_factory.mktemp("published"))
