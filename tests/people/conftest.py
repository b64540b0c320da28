import pytest

from tests.people.stage import Company


@pytest.fixture
def company(db: None) -> Company:
    return Company()
