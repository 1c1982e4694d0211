"""The store's versions, in order. Never change one that has been released: add the next."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Migration:
    """What brings a store from the version before to this one, in one transaction."""

    name: str
    statements: tuple[str, ...]


_PERIODS = """
    CREATE TABLE {name} (
        device INTEGER NOT NULL REFERENCES devices,
        start_ns INTEGER NOT NULL,
        session INTEGER NOT NULL REFERENCES sessions,
        observed REAL NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (device, start_ns, session)
    ) STRICT
"""

# Version 1 is the position 1 here, and so on: PRAGMA user_version counts those that were done.
MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "first tables",
        (
            """
            CREATE TABLE meta (
                key TEXT PRIMARY KEY,
                value TEXT NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE sessions (
                session INTEGER PRIMARY KEY,
                fingerprint TEXT NOT NULL UNIQUE,
                name TEXT NOT NULL,
                frames_done INTEGER NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE devices (
                device INTEGER PRIMARY KEY,
                first_seen_ns INTEGER NOT NULL,
                last_seen_ns INTEGER NOT NULL,
                packets_sent INTEGER NOT NULL,
                packets_received INTEGER NOT NULL,
                bytes INTEGER NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE states (
                device INTEGER PRIMARY KEY REFERENCES devices,
                state TEXT NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE labels (
                device INTEGER NOT NULL REFERENCES devices,
                version INTEGER NOT NULL,
                label TEXT NOT NULL,
                PRIMARY KEY (device, version)
            ) STRICT, WITHOUT ROWID
            """,
            _PERIODS.format(name="windows"),
            _PERIODS.format(name="units"),
            """
            CREATE TABLE verdicts (
                device INTEGER NOT NULL REFERENCES devices,
                unit_start_ns INTEGER NOT NULL,
                state TEXT NOT NULL,
                version INTEGER NOT NULL,
                verdict TEXT NOT NULL,
                cause TEXT NOT NULL,
                g REAL,
                g_low REAL,
                g_high REAL,
                n_baseline INTEGER,
                n_test INTEGER,
                similarity_baseline REAL,
                similarity_test REAL,
                score REAL,
                software REAL,
                reasons TEXT NOT NULL,
                missing TEXT NOT NULL,
                PRIMARY KEY (device, unit_start_ns)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE events (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                id TEXT NOT NULL UNIQUE,
                time TEXT NOT NULL,
                time_ns INTEGER NOT NULL,
                device TEXT NOT NULL,
                type TEXT NOT NULL,
                from_version INTEGER,
                to_version INTEGER,
                cause TEXT NOT NULL,
                expected INTEGER NOT NULL,
                reasons TEXT NOT NULL
            ) STRICT
            """,
        ),
    ),
    Migration(
        "what people say of alarms",
        (
            """
            CREATE TABLE mutes (
                device INTEGER PRIMARY KEY REFERENCES devices,
                until_ns INTEGER
            ) STRICT
            """,
            """
            CREATE TABLE feedback (
                event TEXT PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE,
                time_ns INTEGER NOT NULL,
                kind TEXT NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
    Migration(
        "names of devices",
        (
            """
            CREATE TABLE names (
                device INTEGER PRIMARY KEY REFERENCES devices,
                given TEXT,
                learnt TEXT
            ) STRICT
            """,
        ),
    ),
    Migration(
        "whom devices are in contact with",
        tuple(
            f"ALTER TABLE {table} ADD COLUMN {column}"
            for table in ("windows", "units")
            for column in (
                "sent INTEGER NOT NULL DEFAULT 0",
                "received INTEGER NOT NULL DEFAULT 0",
                "multicast INTEGER NOT NULL DEFAULT 0",
                "merged INTEGER NOT NULL DEFAULT 0",
                "beyond INTEGER NOT NULL DEFAULT 0",
                "networks BLOB NOT NULL DEFAULT x''",
            )
        ),
    ),
    Migration(
        "how far sources were read",
        (
            """
            CREATE TABLE positions (
                source TEXT PRIMARY KEY,
                position TEXT NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
    Migration(
        "how many units each verdict rests on",
        tuple(
            f"ALTER TABLE verdicts ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0"
            for column in ("units_baseline", "units_test")
        ),
    ),
    Migration(
        "which devices a person wants watched",
        (
            """
            CREATE TABLE wanted (
                device INTEGER PRIMARY KEY REFERENCES devices
            ) STRICT
            """,
        ),
    ),
    Migration(
        "captures are known by their first frames",
        (
            "ALTER TABLE sessions ADD COLUMN opening BLOB NOT NULL DEFAULT x''",
            "ALTER TABLE sessions ADD COLUMN ended INTEGER NOT NULL DEFAULT 0",
            "CREATE INDEX sessions_by_first_frame ON sessions (substr(opening, 1, 8))",
        ),
    ),
    Migration(
        "what devices say in handshakes",
        (
            """
            CREATE TABLE texts (
                device INTEGER NOT NULL REFERENCES devices,
                kind INTEGER NOT NULL,
                value INTEGER NOT NULL,
                text TEXT NOT NULL,
                last_ns INTEGER NOT NULL,
                PRIMARY KEY (device, kind, value)
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
    Migration(
        "samples of flows, and what devices are said and taken to be",
        (
            """
            CREATE TABLE flows (
                device INTEGER NOT NULL REFERENCES devices,
                start_ns INTEGER NOT NULL,
                seen INTEGER NOT NULL,
                body BLOB NOT NULL,
                PRIMARY KEY (device, start_ns)
            ) STRICT
            """,
            """
            CREATE TABLE kinds (
                device INTEGER NOT NULL REFERENCES devices,
                source TEXT NOT NULL,
                label TEXT NOT NULL,
                category TEXT,
                PRIMARY KEY (device, source)
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE identifications (
                device INTEGER NOT NULL REFERENCES devices,
                start_ns INTEGER NOT NULL,
                label TEXT,
                category TEXT,
                certainty REAL NOT NULL,
                candidate TEXT NOT NULL,
                model TEXT NOT NULL,
                number INTEGER,
                learnt_as TEXT,
                PRIMARY KEY (device, start_ns)
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
)
