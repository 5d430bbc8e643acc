"""Table definitions and migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    Migration = Callable[[sqlite3.Connection], None]

APPLICATION_ID = 0x72666C74
"""The application id in the header of our files, which `file` recognizes."""

TABLE_STATEMENTS = (
    """CREATE TABLE sessions (
        id TEXT PRIMARY KEY NOT NULL,
        title TEXT NOT NULL,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        model TEXT NOT NULL DEFAULT '',
        leaf INTEGER)""",
    "CREATE INDEX sessions_by_update ON sessions (updated)",
    # `ended` is null for questions. Ids are never reused, because a chat may still hold a removed one.
    """CREATE TABLE turns (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
        parent INTEGER,
        created REAL NOT NULL,
        ended TEXT,
        text TEXT NOT NULL DEFAULT '',
        model TEXT NOT NULL DEFAULT '',
        digest TEXT NOT NULL DEFAULT '',
        mode TEXT NOT NULL DEFAULT '',
        family TEXT NOT NULL DEFAULT '',
        prefilled INTEGER NOT NULL DEFAULT 0,
        effort TEXT NOT NULL DEFAULT '',
        options TEXT NOT NULL DEFAULT '[]',
        origin TEXT NOT NULL DEFAULT '',
        done_reason TEXT NOT NULL DEFAULT '',
        error TEXT NOT NULL DEFAULT '',
        warnings TEXT NOT NULL DEFAULT '[]',
        measured TEXT NOT NULL DEFAULT '{}',
        answer TEXT NOT NULL DEFAULT '',
        raw TEXT NOT NULL DEFAULT '',
        raw_thinking TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX turns_by_session ON turns (session, ended)",
    "CREATE INDEX questions ON turns (id) WHERE ended IS NULL",
    """CREATE TABLE attachments (
        id INTEGER PRIMARY KEY,
        turn INTEGER NOT NULL REFERENCES turns ON DELETE CASCADE,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        content TEXT NOT NULL)""",
    "CREATE INDEX attachments_by_turn ON attachments (turn)",
    # The text of a streaming reply, appended in pieces, so that the cost of a piece does not grow with the reply.
    """CREATE TABLE pieces (
        id INTEGER PRIMARY KEY,
        turn INTEGER NOT NULL REFERENCES turns ON DELETE CASCADE,
        raw TEXT NOT NULL,
        raw_thinking TEXT NOT NULL)""",
    "CREATE INDEX pieces_by_turn ON pieces (turn)",
    # The process that writes a streaming reply; separate from `pieces`, so that a heartbeat rewrites no text.
    """CREATE TABLE writers (
        turn INTEGER PRIMARY KEY REFERENCES turns ON DELETE CASCADE,
        pid INTEGER NOT NULL,
        boot TEXT NOT NULL,
        started TEXT NOT NULL,
        beat REAL NOT NULL)""",
    # Segments of replies, questions and titles in one table, which the search reads. Titles have negative ids since
    # the third version: by them they are found before all others, without reading and sorting every match.
    """CREATE TABLE passages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE,
        turn INTEGER,
        position INTEGER NOT NULL,
        part TEXT NOT NULL,
        dense INTEGER NOT NULL,
        text TEXT NOT NULL)""",
    "CREATE INDEX passages_by_place ON passages (session, turn, position)",
    # Text of scripts without spaces between words, where the index treats a whole sentence as one word.
    "CREATE INDEX dense_passages ON passages (id) WHERE dense",
)

TOKENIZER = """tokenize="unicode61 remove_diacritics 2\""""
"""The tokenizer of the index, which ignores case and accents."""
INDEX_STATEMENTS = (
    # Prefixes of one and two letters have their own index, because they occur first while a word is typed.
    f"""CREATE VIRTUAL TABLE IF NOT EXISTS found
        USING fts5 (text, content='passages', content_rowid='id', prefix='1 2', {TOKENIZER})""",
    """CREATE TRIGGER passage_comes AFTER INSERT ON passages BEGIN
        INSERT INTO found (rowid, text) VALUES (new.id, new.text);
    END""",
    """CREATE TRIGGER passage_goes AFTER DELETE ON passages BEGIN
        INSERT INTO found (found, rowid, text) VALUES ('delete', old.id, old.text);
    END""",
)
REBUILD_STATEMENT = "INSERT INTO found (found) VALUES ('rebuild')"
_TRIGGERS = ("passage_comes", "passage_goes")


def _create_tables(connection: sqlite3.Connection) -> None:
    for statement in TABLE_STATEMENTS:
        connection.execute(statement)


def _add_labels_and_settings(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE turns ADD COLUMN label TEXT NOT NULL DEFAULT ''")
    connection.execute("ALTER TABLE sessions ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'")


def _make_ids_of_titles_negative(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE passages SET id = -id WHERE turn IS NULL")


def _add_pastes(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE turns ADD COLUMN pastes TEXT NOT NULL DEFAULT '[]'")


MIGRATIONS: tuple[Migration, ...] = (
    _create_tables,
    _add_labels_and_settings,
    _make_ids_of_titles_negative,
    _add_pastes,
)
"""The function at index n migrates version n to version n + 1."""


class SchemaInfo(NamedTuple):
    """The application id and version in a file's header, and counts of its tables and triggers."""

    application_id: int
    version: int
    tables: int
    triggers: int
    """How many of the index's triggers exist."""


def read_schema_info(connection: sqlite3.Connection) -> SchemaInfo:
    # One statement reads one snapshot: another program may be creating the tables.
    row = connection.execute(
        """SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
        (SELECT count(*) FROM sqlite_master),
        (SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN (?, ?))""",
        _TRIGGERS,
    ).fetchone()
    return SchemaInfo(*row)


def has_fts5(connection: sqlite3.Connection) -> bool:
    """True if this SQLite has FTS5 for the full-text index."""
    return bool(connection.execute("SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'").fetchone()[0])


def migrate(
    connection: sqlite3.Connection, migrations: tuple[Migration, ...], *, fts5: bool, back_up: Callable[[int], None]
) -> None:
    """Migrate a file to the newest version; a newer file stays unchanged.

    The migration and the version number are one transaction, so that a kill leaves either the old file or the new one;
    programs that start at the same time wait for each other, and the second has nothing to do.

    Args:
        connection: in autocommit mode, with a busy timeout that outlasts a migration.
        migrations: the steps from one version to the next.
        fts5: whether SQLite supports the full-text index.
        back_up: called with the old version before the migration, while the write lock is held.
    """
    if _is_migrated(read_schema_info(connection), len(migrations), fts5=fts5):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        info = read_schema_info(connection)
        if not _is_migrated(info, len(migrations), fts5=fts5):
            _apply_migrations(connection, info, migrations, fts5=fts5, back_up=back_up)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _is_migrated(info: SchemaInfo, newest: int, *, fts5: bool) -> bool:
    return info.version > newest or (info.version == newest and info.triggers == len(_TRIGGERS) * fts5)


def _apply_migrations(
    connection: sqlite3.Connection,
    seen: SchemaInfo,
    migrations: tuple[Migration, ...],
    *,
    fts5: bool,
    back_up: Callable[[int], None],
) -> None:
    if 0 < seen.version < len(migrations):
        back_up(seen.version)
    for migration in migrations[seen.version :]:
        migration(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    _create_index(connection, fts5=fts5)


def _create_index(connection: sqlite3.Connection, *, fts5: bool) -> None:
    """Create and rebuild the full-text index; without FTS5, only drop its triggers.

    A later SQLite that has FTS5 then rebuilds the index.
    """
    for trigger in _TRIGGERS:
        connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    if fts5:
        for statement in INDEX_STATEMENTS:
            connection.execute(statement)
        connection.execute(REBUILD_STATEMENT)


def rebuild_index(connection: sqlite3.Connection) -> None:
    """Rebuild a damaged full-text index from the passages."""
    connection.execute(REBUILD_STATEMENT)
