from collections.abc import Iterator

import pytest
from django.utils.translation import override

from tests.people.stage import Company


@pytest.fixture
def company(db: None) -> Company:
    return Company()


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """What is refused is said in the language that is active: another test's page may have left its own."""
    with override("en"):
        yield
