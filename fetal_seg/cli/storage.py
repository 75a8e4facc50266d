"""Where the study of a search is: a file in its folder, a journal on a shared folder, or a PostgreSQL database."""

import warnings
from collections.abc import Callable
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial
from sqlalchemy import NullPool
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from fetal_seg.config.search import POSTGRESQL, SearchSettings
from fetal_seg.errors import InputError, one_line

STUDY = "study.db"
CONNECT_TIMEOUT_S = 10
ATTEMPTS = 5  # to make the tables, which others may make at the same moment

TakeUp = Callable[[optuna.Study, FrozenTrial], None]  # is given a trial whose worker has fallen silent


def open_storage(folder: Path, settings: SearchSettings, take_up: TakeUp | None = None) -> BaseStorage:
    """The storage of a search's study.

    Args:
        folder: of the search.
        take_up: what becomes of a trial whose worker's heart has stopped, in a database.

    Raises:
        InputError: the database cannot be reached, or the journal cannot be written.
    """
    if settings.storage is None:
        return RDBStorage(f"sqlite:///{folder.resolve() / STUDY}")
    if settings.is_in_database:
        return _database(settings, take_up)
    return _journal(Path(settings.storage).expanduser().resolve())


def _database(settings: SearchSettings, take_up: TakeUp | None) -> RDBStorage:
    assert settings.storage is not None
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # the heartbeat, since 2021
                return RDBStorage(
                    settings.storage.replace(POSTGRESQL, "postgresql+psycopg://", 1),
                    # A connection that is kept costs the server as much as a worker that works, and there may be many
                    engine_kwargs={"poolclass": NullPool, "connect_args": {"connect_timeout": CONNECT_TIMEOUT_S}},
                    heartbeat_interval=settings.heartbeat,
                    grace_period=settings.grace_s,
                    heartbeat_stale_trial_callback=take_up,
                )
        except (IntegrityError, ProgrammingError) as error:
            if attempt == ATTEMPTS:
                raise _unreachable(settings.storage, error) from error
        except (DBAPIError, ImportError) as error:
            raise _unreachable(settings.storage, error) from error
    raise AssertionError


def _journal(path: Path) -> JournalStorage:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
        return JournalStorage(JournalFileBackend(str(path)))
    except (OSError, ValueError, KeyError) as error:  # the latter two where it is no journal
        reason = one_line((error.strerror if isinstance(error, OSError) else None) or error)
        raise InputError(
            f"search.storage={path} cannot be a journal ({reason}); give a new file on a folder that all machines share"
        ) from error


def _unreachable(storage: str, error: Exception) -> InputError:
    reason = one_line(error.orig if isinstance(error, DBAPIError) else error, 300)
    return InputError(
        f"search.storage={storage} cannot be used ({reason}); see that the server runs, the database is there "
        "(createdb), and the password is in PGPASSWORD or ~/.pgpass"
    )
